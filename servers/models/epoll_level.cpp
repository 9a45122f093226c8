// epoll, level-triggered: the kernel keeps the set of watched descriptors, a wait returns those that
// are ready.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: one thread; a descriptor that stays ready is reported again at every wait.
#include <sys/epoll.h>

#include "event_loop/nonblocking_calls.h"
#include "event_loop/pending_work.h"
#include "net/socket.h"

namespace muxbench {

const ModelInfo kModel{.name = "epoll_level",
                       .family = "readiness",
                       .mechanism = "epoll_wait, level-triggered",
                       .capabilities = {.child_work = true}};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for; 0: it is not in the set
};

constexpr Token kListener = ~Token{0};
constexpr Token kChildren = ~Token{1};

class EpollLevel {
 public:
  explicit EpollLevel(const ServerContext& server)
      : listener_(server.listener), children_(server.options), connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    std::uint32_t listener_events = 0, children_events = 0;
    if (children_.descriptor() >= 0)
      watch(children_.descriptor(), kChildren, children_events, EPOLLIN);
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const auto wanted = connections_.accepting() ? EPOLLIN : EPOLLONESHOT;  // or hang-up, once
      watch(listener_, kListener, listener_events, wanted);
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
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
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  PendingWork children_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return EpollLevel(server).run(); }

}  // namespace muxbench
