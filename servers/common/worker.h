// What one event loop keeps besides its waiting: its connections, when to accept, who has been
// silent too long, and how to stop. It makes no system call for a request; a clock is read only
// while there is something to time.
#pragma once

#include <sys/socket.h>

#include <algorithm>

#include "base/unique_fd.h"
#include "common/accept_gate.h"
#include "common/connection_table.h"
#include "common/model.h"

namespace muxbench {

// `Connection` has at least {UniqueFd fd; Session session;} as its first two members.
template <typename Connection>
class Worker {
 public:
  explicit Worker(const ServerContext& server)
      : sessions_(server.new_session_context()),
        gate_(server.options.max_connections),
        idle_limit_(to_milliseconds(server.options.idle_timeout)) {}

  Token open(int fd) { return connections_.insert(UniqueFd(fd), Session(sessions_)); }
  Connection* find(Token token) noexcept { return connections_.find(token); }
  void close(Token token) noexcept { connections_.erase(token); }

  // The connection was read from or written to.
  void touch(Token token) noexcept {
    if (idle_limit_ != 0) connections_.touch(token);
  }

  // What to do when accept(2) has failed. On `stop` every connection's input ends: what has arrived
  // is still answered, then it reads end of file as if its peer had finished, and the loop runs
  // until none is left.
  AcceptAdvice on_accept_error(Errno error) noexcept {
    const AcceptAdvice advice = gate_.on_error(error);
    if (advice == AcceptAdvice::stop) {
      stopping_ = true;
      connections_.each(
          [](Token, Connection& connection) { ::shutdown(connection.fd.get(), SHUT_RD); });
    }
    return advice;
  }

  bool accepting() noexcept { return !stopping_ && gate_.is_open(connections_.size()); }
  bool stopping() const noexcept { return stopping_; }
  bool finished() const noexcept { return stopping_ && connections_.size() == 0; }

  // For the wait call: milliseconds until something is due, -1 if nothing is.
  int timeout_ms() noexcept {
    std::int64_t timeout = -1;
    if (gate_.paused()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(gate_.reopens() - Clock::now());
      timeout = std::max<std::int64_t>(0, left.count());
    }
    if (idle_limit_ != 0 && connections_.size() != 0) {
      update_now();
      const std::int64_t left =
          std::max<std::int64_t>(0, std::int64_t{idle_limit_} - connections_.longest_silence());
      timeout = timeout < 0 ? left : std::min(timeout, left);
    }
    return static_cast<int>(timeout);
  }

  // After each wait: close(token) for every connection that has been silent too long.
  template <typename Close>
  void expire(Close close) {
    if (idle_limit_ == 0) return;
    update_now();
    connections_.each_silent_for(idle_limit_, close);
  }

 private:
  static std::uint32_t to_milliseconds(Nanoseconds duration) noexcept {
    return static_cast<std::uint32_t>(
        std::chrono::ceil<std::chrono::milliseconds>(duration).count());
  }
  void update_now() noexcept {
    connections_.set_now(to_milliseconds(Clock::now().time_since_epoch()));
  }

  SessionContext sessions_;  // before the connections: they return their buffers to it
  ConnectionTable<Connection> connections_;
  AcceptGate gate_;
  std::uint32_t idle_limit_;  // milliseconds; 0: none
  bool stopping_ = false;
};

}  // namespace muxbench
