#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace muxbench {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool bracketed = false;  // "[::1]:80": IPv6
};

Result<HostPort> split(std::string_view text) {
  const auto bad = [&] {
    return usage_error("\"{}\" is not an address; write 127.0.0.1:PORT, [::1]:PORT or unix:/path",
                       text);
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  HostPort parts;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    parts.bracketed = true;
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
  if (host.empty() || error != std::errc{} || end != port.data() + port.size()) return bad();
  parts.host = host;
  return parts;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  Address address;
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    auto& local = address.storage_.local;
    if (path.empty() || path.size() >= sizeof local.sun_path) {
      return usage_error("\"{}\" is not a usable socket path; it must have 1 to {} characters",
                         text, sizeof local.sun_path - 1);
    }
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), path.size());
    address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
  }
  const Result<HostPort> parts = split(text);
  if (!parts) return parts.error();
  if (parts->bracketed) {
    auto& v6 = address.storage_.v6;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(parts->port);
    address.size_ = sizeof v6;
    if (::inet_pton(AF_INET6, parts->host.c_str(), &v6.sin6_addr) == 1) return address;
  } else {
    auto& v4 = address.storage_.v4;
    v4.sin_family = AF_INET;
    v4.sin_port = htons(parts->port);
    address.size_ = sizeof v4;
    if (::inet_pton(AF_INET, parts->host.c_str(), &v4.sin_addr) == 1) return address;
  }
  return usage_error("\"{}\" is not a numeric address; write 127.0.0.1:PORT or [::1]:PORT", text);
}

Result<Address> Address::resolve(std::string_view text) {
  Result<Address> numeric = parse(text);
  if (numeric) return numeric;
  const Result<HostPort> parts = split(text);
  if (!parts) return parts.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(parts->host.c_str(), nullptr, &hints, &found);
  if (status != 0) {
    return make_error("cannot resolve host \"{}\": {}; check the name or give a numeric address",
                      parts->host, ::gai_strerror(status));
  }
  Address address;
  std::memcpy(&address.storage_, found->ai_addr, found->ai_addrlen);
  address.size_ = found->ai_addrlen;
  ::freeaddrinfo(found);
  if (address.family() == AF_INET6) {
    address.storage_.v6.sin6_port = htons(parts->port);
  } else {
    address.storage_.v4.sin_port = htons(parts->port);
  }
  return address;
}

Result<Address> Address::of_socket(int fd) {
  Address address;
  address.size_ = sizeof address.storage_;
  if (::getsockname(fd, &address.storage_.any, &address.size_) != 0) {
    return make_error("cannot read a socket's own address: {}", describe(last_errno()));
  }
  return address;
}

bool Address::is_loopback() const noexcept {
  switch (family()) {
    case AF_INET:
      return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
    case AF_INET6:
      return IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
    default:
      return is_unix();
  }
}

std::string_view Address::path() const noexcept { return storage_.local.sun_path; }
std::uint16_t Address::port() const noexcept {
  return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_INET:
      ::inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
      return fmt::format("{}:{}", text, port());
    case AF_INET6:
      ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
      return fmt::format("[{}]:{}", text, port());
    default:
      return fmt::format("{}{}", kUnixPrefix, path());
  }
}

}  // namespace muxbench
