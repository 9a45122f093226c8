#include "engine/connector.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/socket.h"

namespace muxbench::loadgen {
namespace {

constexpr unsigned kConnectionsPerSource = 14'000;
constexpr unsigned kSources = 250 * 250;  // 127.0.0.1 to 127.0.249.250

}  // namespace

Connector::Connector(const Address& target, unsigned thread, unsigned threads) noexcept
    : target_(target),
      spread_(target.family() == AF_INET && target.is_loopback()),
      threads_(threads),
      source_(thread) {}

Connector::Attempt Connector::start() noexcept {
  constexpr int kAttempts = 4;
  Attempt attempt;
  for (int i = 0; i < kAttempts; ++i) {
    if (spread_ && opened_ == kConnectionsPerSource) {
      source_ += threads_;
      opened_ = 0;
    }
    attempt = try_once();
    if (!spread_ || attempt.error != Errno{EADDRNOTAVAIL}) break;
    opened_ = kConnectionsPerSource;  // Others use this source too: go on with the next.
  }
  return attempt;
}

Connector::Attempt Connector::try_once() noexcept {
  Attempt attempt;
  UniqueFd fd(::socket(target_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || !bind_source(fd.get())) {
    attempt.error = last_errno();
    return attempt;
  }
  if (!target_.is_unix()) set_nodelay(fd.get());
  if (::connect(fd.get(), target_.data(), target_.size()) != 0) {
    if (errno != EINPROGRESS) {
      attempt.error = last_errno();
      return attempt;
    }
    attempt.in_progress = true;
  }
  ++opened_;
  attempt.fd = std::move(fd);
  return attempt;
}

bool Connector::bind_source(int fd) const noexcept {
  // The first source is the kernel's own choice, which saves two system calls per connection.
  if (!spread_ || source_ == 0) return true;
  const unsigned source = source_ % kSources;
  const int on = 1;
  // ip(7): the port is chosen at connect(2), where it need be unique only for this destination.
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (source / 250) * 256 + source % 250);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0;
}

ErrorKind kind_of_failure(Errno error) noexcept {
  return error == Errno{ECONNREFUSED} ? ErrorKind::refused : ErrorKind::connect;
}

std::string explain_failure(Errno error, const Address& target) {
  const std::string to = target.to_string();
  switch (static_cast<int>(error)) {
    case ECONNREFUSED:
      return fmt::format("{} refuses connections; is the server running?", to);
    case ENOENT:
      return fmt::format("{} does not exist; is the server running?", to);
    case EADDRNOTAVAIL:
      return fmt::format(
          "no local port is free for another connection to {}; "
          "ask for fewer connections or widen net.ipv4.ip_local_port_range",
          to);
    case EMFILE:
    case ENFILE:
      return "no descriptor is free for another connection; raise the limit with ulimit -n";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return fmt::format("there is no way to {}; check the address and the network", to);
    case ETIMEDOUT:
      return fmt::format(
          "{} did not answer in time; check its address, firewall and descriptor limit, or raise "
          "--connect-timeout",
          to);
    case EACCES:
    case EPERM:
      return fmt::format("connecting to {} is not permitted; check the file's mode or the firewall",
                         to);
    default:
      return fmt::format("cannot connect to {}: {}", to, describe(error));
  }
}

void close_with_reset(UniqueFd& fd) noexcept {
  if (!fd) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd.reset();
}

}  // namespace muxbench::loadgen
