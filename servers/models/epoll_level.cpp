// epoll, level-triggered: the kernel keeps the set of watched descriptors, a wait returns only
// those that are ready.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: one thread; a descriptor that stays ready is reported again at every wait.
#include <sys/epoll.h>

#include "event_loop/connection_set.h"
#include "event_loop/pending_work.h"
#include "net/socket.h"
#include "net/sys.h"

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
      : listener_(server.listener), pending_work_(server.options), connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN, kListener);
    if (pending_work_.descriptor() >= 0)
      watch(EPOLL_CTL_ADD, pending_work_.descriptor(), EPOLLIN, kChildren);
    bool watching_listener = true;
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) {
        const Token token = events[static_cast<std::size_t>(i)].data.u64;
        if (token == kListener) {
          on_listener_ready();
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
      } else if (watching_listener != connections_.accepting()) {
        watching_listener = !watching_listener;
        watch(EPOLL_CTL_MOD, listener_, watching_listener ? EPOLLIN : 0U, kListener);
      }
    }
    return {};
  }

 private:
  bool watch(int operation, int fd, std::uint32_t events, Token token) noexcept {
    epoll_event event{.events = events, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_listener_ready() {
    for (int i = 0; i < AcceptThrottle::kAcceptsPerRound; ++i) {
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

  int listener_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  PendingWork pending_work_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return EpollLevel(server).run(); }

}  // namespace muxbench
