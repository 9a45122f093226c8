#include "engine/learn_bodies.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>
#include <thread>

#include "base/parse.h"
#include "client/http_head.h"
#include "engine/connector.h"
#include "engine/interrupt.h"
#include "net/sys.h"

namespace muxbench::loadgen {
namespace {

struct Failure {
  ErrorKind kind;
  std::string reason;
};

// One request on a connection of its own. Each step returns what went wrong, if anything did; what
// it says after an interruption means nothing.
class FirstRequest {
 public:
  FirstRequest(HttpResource& resource, const Options& options, std::uint64_t most)
      : resource_(resource), options_(options), most_(most) {}

  std::optional<Failure> execute() {
    if (auto failure = connect()) return failure;
    deadline_ = Clock::now() + options_.timeout;
    if (auto failure = send()) return failure;
    return receive();
  }

 private:
  // False: interrupted, or too late.
  bool await(short events) const {
    return await_events(fd_.get(), events, deadline_) && Clock::now() < deadline_;
  }

  std::optional<Failure> connect() {
    deadline_ = Clock::now() + options_.connect_timeout;
    Connector connector(options_.target, 0, 1);
    Connector::Attempt attempt = connector.start();
    // connect(2): an AF_UNIX listener whose backlog is full says EAGAIN; it may have room soon.
    while (attempt.error == Errno{EAGAIN} && Clock::now() < deadline_ && !interrupted()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      attempt = connector.start();
    }
    fd_ = std::move(attempt.fd);
    if (fd_ && attempt.in_progress) {
      int error = ETIMEDOUT;
      socklen_t size = sizeof error;
      if (await(POLLOUT)) ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      attempt.error = Errno{error};
    }
    if (attempt.error == Errno{}) return std::nullopt;
    return Failure{kind_of_failure(attempt.error), explain_failure(attempt.error, options_.target)};
  }

  std::optional<Failure> send() {
    std::string_view rest = resource_.request;
    while (!rest.empty()) {
      const iovec piece{const_cast<char*>(rest.data()), rest.size()};
      const IoResult sent = sys::send(fd_.get(), {&piece, 1});
      if (sent.ok()) {
        rest.remove_prefix(sent.count());
      } else if (sent.would_block()) {
        if (!await(POLLOUT)) return too_late();
      } else if (!sent.interrupted()) {
        return Failure{ErrorKind::reset, describe(sent.error())};
      }
    }
    return std::nullopt;
  }

  std::optional<Failure> receive() {
    std::array<std::byte, 64 * 1024> buffer;
    while (!in_body_ || received_.size() < wanted_) {
      if (!await(POLLIN)) return too_late();
      const IoResult got = sys::recv(fd_.get(), buffer);
      if (got.interrupted() || got.would_block()) continue;
      if (!got.ok()) return Failure{ErrorKind::reset, describe(got.error())};
      if (got.end_of_file()) return Failure{ErrorKind::closed, "closed before the response ended"};
      const std::size_t searched = received_.size();
      received_.append(reinterpret_cast<const char*>(buffer.data()), got.count());
      if (in_body_) continue;
      if (auto failure = take_heads(searched)) return failure;
    }
    if (received_.size() > wanted_) {
      return Failure{ErrorKind::extra, "bytes after the end of the response"};
    }
    resource_.body = std::move(received_);
    return std::nullopt;
  }

  // The heads of interim responses, and that of the final one.
  std::optional<Failure> take_heads(std::size_t searched) {
    while (!received_.empty()) {
      const HttpHeadEnd end = find_http_head_end(received_, searched);
      if (!end.error.empty()) return Failure{ErrorKind::protocol, std::string(end.error)};
      if (end.size == 0) return std::nullopt;
      const HttpHead head = parse_http_head(std::string_view(received_).substr(0, end.size));
      if (!head.error.empty()) return Failure{ErrorKind::protocol, std::string(head.error)};
      received_.erase(0, end.size);
      searched = 0;
      if (is_interim(head.status)) continue;
      if (head.status != 200) {
        return Failure{ErrorKind::unexpected_status, fmt::format("status {}", head.status)};
      }
      if (!head.content_length) return Failure{ErrorKind::protocol, "no Content-Length"};
      if (*head.content_length > most_) {
        return Failure{ErrorKind::protocol,
                       fmt::format("a body of {} bytes, and no more than {} MiB are learnt from a "
                                   "server; give the bodies as files with --body-root",
                                   *head.content_length, kMostLearnt >> 20)};
      }
      wanted_ = *head.content_length;
      in_body_ = true;
      return std::nullopt;
    }
    return std::nullopt;
  }

  Failure too_late() const {
    return {ErrorKind::timeout, fmt::format("no complete response within {}; check the server, or "
                                            "raise --timeout",
                                            to_string(options_.timeout))};
  }

  HttpResource& resource_;
  const Options& options_;
  const std::uint64_t most_;  // bytes of its body
  UniqueFd fd_;
  Clock::time_point deadline_;
  std::string received_;  // from the first head that is not complete on, or of the body
  bool in_body_ = false;
  std::size_t wanted_ = 0;
};

}  // namespace

bool learn_bodies(HttpSite& site, const Options& options, ErrorLog& errors) {
  std::uint64_t learnt = 0;
  for (HttpResource& resource : site) {
    const auto failure = FirstRequest(resource, options, kMostLearnt - learnt).execute();
    if (interrupted()) return false;
    if (failure) {
      errors.add(failure->kind,
                 fmt::format("first request of {}: {}", resource.path, failure->reason));
      return false;
    }
    learnt += resource.body.size();
  }
  return true;
}

}  // namespace muxbench::loadgen
