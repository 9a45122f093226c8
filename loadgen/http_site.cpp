#include "loadgen/http_site.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "loadgen/http_head.h"
#include "net/socket.h"
#include "net/sys.h"

namespace muxbench::loadgen {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

struct Failure {
  ErrorKind kind;
  std::string reason;
};

// One request on a connection of its own. Returns what went wrong, if anything did.
std::optional<Failure> learn(HttpResource& resource, const Address& target, Nanoseconds timeout) {
  const Result<UniqueFd> fd = connect_to(target, timeout);
  if (!fd) {
    const bool refused = fd.error().message.find("ECONNREFUSED") != std::string::npos;
    return Failure{refused ? ErrorKind::refused : ErrorKind::connect, fd.error().message};
  }
  const iovec piece{resource.request.data(), resource.request.size()};
  if (!sys::send(fd->get(), {&piece, 1}).ok()) {
    return Failure{ErrorKind::reset, "the request could not be sent"};
  }
  std::string received;
  std::optional<std::size_t> head_bytes;
  std::size_t wanted = kLongestHttpHead;
  std::array<std::byte, 16 * 1024> buffer;
  while (!head_bytes || received.size() < wanted) {
    const IoResult got = sys::recv(fd->get(), buffer);
    if (got.interrupted()) continue;
    if (got.would_block()) return Failure{ErrorKind::timeout, "no complete response in time"};
    if (!got.ok()) return Failure{ErrorKind::reset, describe(got.error())};
    if (got.end_of_file()) return Failure{ErrorKind::closed, "closed before the response ended"};
    received.append(reinterpret_cast<const char*>(buffer.data()), got.count());
    if (head_bytes) continue;
    const std::size_t end = received.find(kHeadEnd);
    if (end == std::string::npos && received.size() < kLongestHttpHead) continue;
    if (end == std::string::npos) return Failure{ErrorKind::protocol, "a head without an end"};
    head_bytes = end + kHeadEnd.size();
    const HttpHead head = parse_http_head(std::string_view(received).substr(0, *head_bytes));
    if (!head.error.empty()) return Failure{ErrorKind::protocol, std::string(head.error)};
    if (head.status != 200) {
      return Failure{ErrorKind::unexpected_status, fmt::format("status {}", head.status)};
    }
    if (!head.content_length) return Failure{ErrorKind::protocol, "no Content-Length"};
    wanted = *head_bytes + *head.content_length;
  }
  resource.body = received.substr(*head_bytes, wanted - *head_bytes);
  return std::nullopt;
}

}  // namespace

HttpSite::HttpSite(std::vector<HttpResource> resources, std::uint32_t longest_run)
    : resources_(std::move(resources)), longest_run_(longest_run) {
  for (std::size_t i = 0; i < resources_.size() + longest_run; ++i) {
    offsets_.push_back(text_.size());
    text_ += resources_[i % resources_.size()].request;
  }
  offsets_.push_back(text_.size());
}

HttpSite make_site(const std::vector<std::string>& paths, const std::string& host,
                   std::uint32_t longest_run, bool close) {
  std::vector<HttpResource> resources;
  for (const std::string& path : paths) {
    resources.push_back({.path = path,
                         .request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", path, host,
                                                close ? "Connection: close\r\n" : ""),
                         .body = {}});
  }
  return {std::move(resources), longest_run};
}

Result<> read_bodies(HttpSite& site, const std::string& root) {
  for (HttpResource& resource : site) {
    std::string name = root + resource.path.substr(0, resource.path.find('?'));
    if (name.back() == '/') name += "index.html";
    std::ifstream file(name, std::ios::binary);
    resource.body.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad()) {
      return usage_error("cannot read {}, the body that {} must have; check --body-root and --path",
                         name, resource.path);
    }
  }
  return {};
}

bool learn_bodies(HttpSite& site, const Address& target, Nanoseconds timeout, ErrorLog& errors) {
  for (HttpResource& resource : site) {
    if (const auto failure = learn(resource, target, timeout)) {
      errors.add(failure->kind,
                 fmt::format("first request of {}: {}", resource.path, failure->reason));
      return false;
    }
  }
  return true;
}

}  // namespace muxbench::loadgen
