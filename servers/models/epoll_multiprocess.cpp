// epoll in several processes: each waits with an epoll set of its own, and all share the listener;
// EPOLLEXCLUSIVE wakes one of them for a new connection instead of all.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; for each accept
// 2 epoll_ctl and a sched_yield, by which a process goes to the end of the queue (twice that for one
// that has more connections than the others and gives them a turn).
// Limit: a connection stays where it was accepted, however busy that process is.
#include <sched.h>
#include <sys/epoll.h>

#include "event_loop/nonblocking_calls.h"
#include "event_loop/pending_work.h"
#include "net/socket.h"
#include "processes/worker_group.h"

namespace muxbench {

const ModelInfo kModel{.name = "epoll_multiprocess",
                       .family = "readiness",
                       .mechanism = "epoll_wait in several processes, EPOLLEXCLUSIVE listener",
                       .capabilities = {.workers = true, .child_work = true},
                       .says_when_ready = true};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for; 0: it is not in the set
};

constexpr Token kListener = ~Token{0};
constexpr Token kChildren = ~Token{1};

class EpollMultiprocess {
 public:
  explicit EpollMultiprocess(const ServerContext& server)
      : server_(server),
        listener_(server.listener),
        shares_listener_(server.options.workers > 1),
        children_(server.options),
        connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    watch_listener();
    std::uint32_t children_events = 0;
    if (children_.descriptor() >= 0)
      watch(children_.descriptor(), kChildren, children_events, EPOLLIN);
    server_.ready();
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
      connections_.expire([this](Token token) { connections_.close(token); });
      watch_listener();
    }
    return {};
  }

 private:
  // The kernel wakes the first in the queue of those that wait, always the same process if it is
  // idle: adding the listener anew puts this one at the end, and yielding lets the others, if a
  // burst has woken them on this CPU, have theirs before it empties the backlog. (Besides, an
  // EPOLLEXCLUSIVE entry cannot be modified.)
  void watch_listener() noexcept {
    const bool accepting = connections_.accepting();
    const std::uint32_t wanted = accepting ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLONESHOT;
    const bool goes_to_the_end = std::exchange(had_its_turn_, false) && accepting;
    if (wanted == listener_events_ && !goes_to_the_end) return;
    watch(listener_, kListener, listener_events_, 0);
    if (shares_listener_) ::sched_yield();
    watch(listener_, kListener, listener_events_, wanted);
  }

  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) {
    if (token == kListener) {
      had_its_turn_ = shares_listener_;
      accept_some();
    } else if (token == kChildren) {
      children_.each_done(connections_, [this](Token t, Connection& c) { proceed(t, c); });
    } else if (Connection* connection = connections_.find(token)) {  // else: closed since the wait
      on_ready(token, *connection);
    }
  }

  // One connection for each turn, so that a burst spreads over the processes.
  void accept_some() {
    const auto on_accepted = [this](Token token, Connection& connection) {
      proceed(token, connection);
      if (shares_listener_) connections_.rebalance_accepts();
    };
    accept_burst(listener_, connections_, on_accepted, shares_listener_ ? 1 : kAcceptsPerRound);
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    if (session.wants_write() || recv_once(connection.fd.get(), session) != Received::failed)
      return proceed(token, connection);
    connections_.close(token);
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    const bool goes_on = send_pending(fd, session) && children_.start_if_due(token, session);
    std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (session.awaits_work()) wanted = 0;  // until its child has ended
    if (!goes_on || !watch(fd, token, connection.events, wanted)) connections_.close(token);
  }

  const ServerContext& server_;
  const int listener_;
  const bool shares_listener_;
  bool had_its_turn_ = false;
  std::uint32_t listener_events_ = 0;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  PendingWork children_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  return run_worker_processes(
      server, [](ServerContext& worker) { return EpollMultiprocess(worker).run(); });
}

}  // namespace muxbench
