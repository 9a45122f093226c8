// epoll_level with its wait moved into an io_uring: the first step of a program that goes from one to
// the other.
// Syscalls per request: 1/k io_uring_enter (k requests ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: two queues instead of one for each event; it gains nothing until other operations go
// through the ring, too.
#include <sys/epoll.h>

#include "event_loop/nonblocking_calls.h"
#include "event_loop/pending_work.h"
#include "net/socket.h"
#include "uring/ring.h"
#include "uring/trial.h"

namespace muxbench {
namespace {

constexpr uring::Ring::Flags kFlags{.preferred = uring::Ring::kOneThread};

Probe probe() {
  uring::Ring ring(kFlags);
  Probe probe = uring::describe_ring(ring);
  if (!ring.ok()) return probe;
  const uring::trial::Sockets sockets;
  const bool waits = uring::trial::waits_for_epoll(ring, sockets);
  if (!waits) {
    probe.unavailable_because =
        "this io_uring cannot wait for an epoll set (IORING_OP_EPOLL_WAIT, Linux 6.15)";
  }
  probe.features.push_back({"epoll_wait", waits});
  return probe;
}

}  // namespace

const ModelInfo kModel{.name = "uring_epoll_wait",
                       .family = "readiness",
                       .mechanism = "epoll, level-triggered, waited for through io_uring",
                       .capabilities = {.child_work = true},
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for; 0: it is not in the set
};

constexpr Token kListener = ~Token{0};
constexpr Token kChildren = ~Token{1};

class UringEpollWait {
 public:
  explicit UringEpollWait(const ServerContext& server)
      : listener_(server.listener), children_(server.options), connections_(server) {}

  Result<> run() {
    if (!ring_.ok()) return uring::cannot_set_up(ring_);
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    std::uint32_t listener_events = 0, children_events = 0;
    if (children_.descriptor() >= 0)
      watch(children_.descriptor(), kChildren, children_events, EPOLLIN);
    while (!connections_.finished()) {
      const auto wanted = connections_.accepting() ? EPOLLIN : EPOLLONESHOT;  // or hang-up, once
      watch(listener_, kListener, listener_events, wanted);
      if (!std::exchange(waiting_, true)) {
        uring::prep_epoll_wait(ring_.next_sqe(), epoll_.get(), events_);
      }
      ring_.submit_and_wait(connections_.timeout_ms());
      ring_.each_completion([this](const io_uring_cqe& cqe) {
        waiting_ = false;
        for (int i = 0; i < cqe.res; ++i) on_event(events_[static_cast<std::size_t>(i)].data.u64);
      });
      connections_.expire([this](Token token) { connections_.close(token); });
    }
    return {};
  }

 private:
  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) {
    if (token == kListener) {
      accept_burst(listener_, connections_, [this](Token t, Connection& c) { proceed(t, c); });
    } else if (token == kChildren) {
      children_.each_done(connections_, [this](Token t, Connection& c) { proceed(t, c); });
    } else if (Connection* connection = connections_.find(token)) {  // else: closed since the wait
      on_ready(token, *connection);
    }
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

  int listener_;
  bool waiting_ = false;                 // the ring waits for the set, and is to write to
  std::array<epoll_event, 512> events_;  // these
  uring::Ring ring_{kFlags};
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  PendingWork children_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return UringEpollWait(server).run(); }

}  // namespace muxbench
