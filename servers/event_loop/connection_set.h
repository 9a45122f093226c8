// What one event loop keeps besides its waiting: its connections, when to accept, who has been
// silent too long, and how to stop. It makes no system call for a request; a clock is read only
// while there is something to time.
#pragma once

#include <sys/socket.h>

#include <algorithm>

#include "base/unique_fd.h"
#include "event_loop/connection_table.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"

namespace muxbench {

// `Connection` begins with what accept gave, and its session: {UniqueFd fd; Session session; ...}.
template <typename Connection>
class ConnectionSet {
 public:
  // `most_connections` is a limit of the mechanism itself, beside --max-connections.
  explicit ConnectionSet(const ServerContext& server, std::size_t most_connections = SIZE_MAX)
      : sessions_(server.new_session_context()),
        counters_(server.counters()),
        throttle_(std::min(server.options.max_connections, most_connections)),
        idle_limit_(to_milliseconds(server.options.idle_timeout)) {}

  ~ConnectionSet() { publish(); }
  ConnectionSet(const ConnectionSet&) = delete;

  struct Opened {
    Token token;
    Connection& connection;
  };
  // A connection for what accept gave: auto [token, connection] = connections.open(std::move(fd)).
  template <typename Handle>
  Opened open(Handle handle) {
    return open(std::move(handle), sessions_, counters_);
  }
  // Where threads share this: accepted by the one that the context and the counters belong to.
  template <typename Handle>
  Opened open(Handle handle, SessionContext& sessions, WorkerCounters& counters) {
    count(counters.accepted);
    if (idle_limit_ != 0) update_now();  // the wait may have been long, and its silence begins here
    const Token token = connections_.insert(std::move(handle), Session(sessions));
    return {token, *connections_.find(token)};
  }
  // Instead of close(), for one that was opened and cannot be watched.
  void refuse(Token token) noexcept {
    counters_.accepted.fetch_sub(1, std::memory_order_relaxed);
    count(counters_.refused);
    close(token);
  }
  std::size_t size() const noexcept { return connections_.size(); }
  Connection* find(Token token) noexcept { return connections_.find(token); }
  Token token_at(std::uint32_t index) const noexcept { return connections_.token_at(index); }
  void close(Token token) noexcept { connections_.erase(token); }

  // visit(token, connection) for every connection.
  template <typename Visit>
  void each(Visit visit) {
    connections_.each(visit);
  }

  // Call before the session is told what was read or written: the connection is not silent. The
  // rest of a request does not count, so silence begins anew when a request begins, or when a part
  // of an answer has gone.
  void touch(Token token) noexcept {
    if (idle_limit_ == 0 || find(token)->session.mid_request()) return;
    restart_silence(token);
  }
  // The connection is as good as one just heard of.
  void restart_silence(Token token) noexcept {
    if (idle_limit_ == 0) return;
    update_now();
    connections_.touch(token);
  }

  // What to do when accept(2) has failed. On `stop` every connection's input ends: what has arrived
  // is still answered, then it reads end of file as if its peer had finished, and the loop runs
  // until none is left. (TCP queues what comes later, too: who never pauses is served until the
  // stop signal's deadline.)
  AcceptAdvice on_accept_error(Errno error) noexcept {
    return on_accept_error(
        error, [](Token, Connection& connection) { ::shutdown(connection.fd.get(), SHUT_RD); });
  }
  // The same where shutdown(2) is not the way: end_input(token, connection) is called for each.
  template <typename EndInput>
  AcceptAdvice on_accept_error(Errno error, EndInput end_input) {
    const AcceptAdvice advice = throttle_.on_error(error);
    if (advice == AcceptAdvice::stop && !std::exchange(stopping_, true)) {
      connections_.each(end_input);
    }
    return advice;
  }

  void rebalance_accepts() noexcept { throttle_.rebalance_accepts(connections_.size()); }
  bool accepting() noexcept { return !stopping_ && throttle_.may_accept(connections_.size()); }
  bool stopping() const noexcept { return stopping_; }
  bool finished() const noexcept { return stopping_ && connections_.size() == 0; }

  // For the wait call: milliseconds until something is due, -1 if nothing is. Asked once a round,
  // so it is also where rounds and requests are added to what --counters reports.
  int timeout_ms() noexcept {
    count(counters_.rounds);
    publish();
    std::int64_t timeout = throttle_.pause_ms();
    if (idle_limit_ != 0 && connections_.size() != 0) {
      update_now();
      const std::int64_t left =
          std::max<std::int64_t>(0, std::int64_t{idle_limit_} - connections_.longest_silence());
      timeout = timeout < 0 ? left : std::min(timeout, left);
    }
    return static_cast<int>(timeout);
  }

  // After each wait: close(token) for every connection that has been silent too long. It is not the
  // client who is silent while its answer is being worked on.
  template <typename Close>
  void expire(Close close) {
    expire(close, [](const Connection& each) { return each.session.awaits_work(); });
  }
  // The same where another thread may have the session: is_at_work(connection) says whether it is
  // the server's turn.
  template <typename Close, typename IsAtWork>
  void expire(Close close, IsAtWork is_at_work) {
    if (idle_limit_ == 0) return;
    update_now();
    connections_.each_silent_for(idle_limit_, [&](Token token) {
      if (is_at_work(*find(token))) {
        connections_.touch(token);
      } else {
        close(token);
      }
    });
  }

 private:
  static std::uint32_t to_milliseconds(Nanoseconds duration) noexcept {
    return static_cast<std::uint32_t>(
        std::chrono::ceil<std::chrono::milliseconds>(duration).count());
  }
  void publish() noexcept {
    counters_.open.store(connections_.size(), std::memory_order_relaxed);
    if (sessions_.requests != 0) count(counters_.requests, std::exchange(sessions_.requests, 0));
  }
  void update_now() noexcept {
    connections_.set_now(to_milliseconds(Clock::now().time_since_epoch()));
  }

  SessionContext sessions_;  // before the connections: they return their buffers to it
  ConnectionTable<Connection> connections_;
  WorkerCounters& counters_;
  AcceptThrottle throttle_;
  std::uint32_t idle_limit_;  // milliseconds; 0: none
  bool stopping_ = false;
};

}  // namespace muxbench
