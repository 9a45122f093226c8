// epoll in several processes: each waits with an epoll set of its own, and all share the listener;
// EPOLLEXCLUSIVE wakes one of them for a new connection instead of all.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; for each accept
// 2 epoll_ctl and a sched_yield, by which a process goes to the end of the queue (twice that for one
// that has more connections than the others and gives them a turn).
// Limit: a connection stays where it was accepted, however busy that process is.
#include <sched.h>
#include <sys/epoll.h>

#include "event_loop/connection_set.h"
#include "event_loop/pending_work.h"
#include "net/socket.h"
#include "net/sys.h"
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
        pending_work_(server.options),
        connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN | EPOLLEXCLUSIVE, kListener);
    if (pending_work_.descriptor() >= 0)
      watch(EPOLL_CTL_ADD, pending_work_.descriptor(), EPOLLIN, kChildren);
    bool watching_listener = true;
    bool accepted_one = false;
    server_.ready();
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) {
        const Token token = events[static_cast<std::size_t>(i)].data.u64;
        if (token == kListener) {
          on_listener_ready();
          accepted_one = shares_listener_;
        } else if (token == kChildren) {
          pending_work_.each_done([this](Token its_token) { on_work_done(its_token); });
        } else if (Connection* connection =
                       connections_.find(token)) {  // else: closed since this wait began
          on_ready(token, *connection);
        }
      }
      connections_.expire([this](Token token) { on_silence(token); });
      if (connections_.stopping()) {
        if (listener_ >= 0)
          ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, std::exchange(listener_, -1), nullptr);
      } else if (std::exchange(accepted_one, false) ||
                 watching_listener != connections_.accepting()) {
        watching_listener = connections_.accepting();
        watch_listener_anew(watching_listener);
      }
    }
    return {};
  }

 private:
  bool watch(int operation, int fd, std::uint32_t events, Token token) noexcept {
    epoll_event event{.events = events, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  // The kernel wakes the first in the queue of those that wait, always the same process if it is
  // idle: adding the listener anew puts this one at the end, and yielding lets the others, if a
  // burst has woken them on this CPU, have theirs before it empties the backlog. (Besides, an
  // EPOLLEXCLUSIVE entry cannot be modified.)
  void watch_listener_anew(bool accepting) noexcept {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_, nullptr);
    if (shares_listener_) ::sched_yield();
    watch(EPOLL_CTL_ADD, listener_, accepting ? EPOLLIN | EPOLLEXCLUSIVE : 0U, kListener);
  }

  void on_listener_ready() {
    // One connection for each turn, so that a burst spreads over the processes.
    const int accepts = shares_listener_ ? 1 : AcceptThrottle::kAcceptsPerRound;
    for (int i = 0; i < accepts; ++i) {
      const IoResult accepted = sys::accept(listener_, SOCK_NONBLOCK);
      if (!accepted.ok()) {
        if (connections_.on_accept_error(accepted.error()) == AcceptAdvice::try_next) continue;
        return;
      }
      const Token token = connections_.open(accepted.fd());
      Connection& connection = *connections_.find(token);
      connection.events = EPOLLIN;
      if (!watch(EPOLL_CTL_ADD, accepted.fd(), connection.events, token)) {
        connections_.close(token);
      } else if (connection.session.wants_write()) {
        on_ready(token, connection);
      }
      if (shares_listener_) connections_.rebalance_accepts();
      if (!connections_.accepting()) return;
    }
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    if (!session.wants_write()) {
      const IoResult got = sys::recv(connection.fd.get(), session.lease_read());
      if (got.ok()) {
        session.on_read(got.count());
      } else if (got.would_block() || got.interrupted()) {
        session.cancel_read();
      } else {
        return connections_.close(token);
      }
    }
    while (session.wants_write()) {
      const IoResult sent = sys::send(connection.fd.get(), session.write_buffers());
      if (sent.ok()) {
        session.on_written(sent.count());
      } else if (sent.would_block()) {
        break;
      } else if (!sent.interrupted()) {
        return connections_.close(token);
      }
    }
    if (session.wants_half_close()) {
      ::shutdown(connection.fd.get(), SHUT_WR);
      session.on_half_closed();
    }
    if (session.done()) return connections_.close(token);
    if (session.awaits_work()) return start_work(token, connection);

    const std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (wanted != connection.events) {
      const int change = connection.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
      if (!watch(change, connection.fd.get(), wanted, token)) return connections_.close(token);
      connection.events = wanted;
    }
  }

  // While its child runs, the connection is out of the set: being ready is of no use to it.
  void start_work(Token token, Connection& connection) {
    if (!pending_work_.start(token))
      return connections_.close(token);  // too many processes: it is shed
    if (std::exchange(connection.events, 0U) != 0)
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
  }

  void on_work_done(Token token) {
    Connection* connection = connections_.find(token);
    if (connection == nullptr) return;
    connection->session.on_work_done();
    on_ready(token, *connection);
  }

  // It is not the client who is silent while its answer is being worked on.
  void on_silence(Token token) noexcept {
    if (connections_.find(token)->session.awaits_work()) return connections_.restart_silence(token);
    connections_.close(token);
  }

  const ServerContext& server_;
  int listener_;
  const bool shares_listener_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  PendingWork pending_work_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  return run_worker_processes(
      server, [](ServerContext& worker) { return EpollMultiprocess(worker).run(); });
}

}  // namespace muxbench
