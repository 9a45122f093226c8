// epoll in several threads that share nothing: each has a listener of its own on the same address
// (SO_REUSEPORT) and an epoll set; the kernel picks the listener by a hash of the addresses.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: the hash is fair only on average, and knows nothing of who is busy. AF_UNIX has no
// SO_REUSEPORT: there the threads share the one listener.
#include <sched.h>
#include <sys/epoll.h>

#include "event_loop/connection_set.h"
#include "net/socket.h"
#include "net/sys.h"
#include "processes/worker_group.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

Probe probe() {
  return {.features = {{"tcp_listeners", "one for each thread, SO_REUSEPORT"},
                       {"unix_listeners", "one, EPOLLEXCLUSIVE: AF_UNIX has no SO_REUSEPORT"}}};
}

}  // namespace

const ModelInfo kModel{.name = "epoll_reuseport",
                       .family = "readiness",
                       .mechanism = "epoll_wait in several threads, SO_REUSEPORT listeners",
                       .capabilities = {.workers = true},
                       .probe = probe,
                       .says_when_ready = true};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for
};

constexpr Token kListener = ~Token{0};

class EpollReuseport {
 public:
  EpollReuseport(const ServerContext& server, int listener, bool shares_listener)
      : server_(server),
        listener_(listener),
        shares_listener_(shares_listener),
        connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    watch(EPOLL_CTL_ADD, listener_, listener_events(true), kListener);
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
        } else if (Connection* connection =
                       connections_.find(token)) {  // else: closed since this wait began
          on_ready(token, *connection);
        }
      }
      connections_.expire([this](Token token) { connections_.close(token); });
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

  std::uint32_t listener_events(bool accepting) const noexcept {
    if (!accepting) return 0;
    return shares_listener_ ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;
  }

  // An EPOLLEXCLUSIVE entry cannot be modified; and where the listener is shared, adding it anew
  // and yielding let the other threads have their turn.
  void watch_listener_anew(bool accepting) noexcept {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_, nullptr);
    if (shares_listener_) ::sched_yield();
    watch(EPOLL_CTL_ADD, listener_, listener_events(accepting), kListener);
  }

  void on_listener_ready() {
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

    const std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (wanted != connection.events) {
      if (!watch(EPOLL_CTL_MOD, connection.fd.get(), wanted, token))
        return connections_.close(token);
      connection.events = wanted;
    }
  }

  const ServerContext& server_;
  int listener_;
  const bool shares_listener_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  ConnectionSet<Connection> connections_;
};

// One for each thread after the first, which has the server's own. That one was bound alone, so
// that a port in use was an error, and lets others in only now. (Linux asks for SO_REUSEPORT when
// the second socket is bound.)
Result<std::vector<UniqueFd>> listeners_beside(const ServerContext& server) {
  std::vector<UniqueFd> listeners;
  const Result<Address> address = Address::of_socket(server.listener);
  if (!address) return address.error();
  if (address->is_unix() || server.options.workers == 1) return listeners;
  const int on = 1;
  ::setsockopt(server.listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  while (listeners.size() + 1 < server.options.workers) {
    Result<UniqueFd> listener = listen_on(
        *address, {.backlog = server.options.backlog, .nonblocking = true, .reuse_port = true});
    if (!listener) return listener.error();
    set_nodelay(listener->get());
    stop_signal::also_shuts_down(listener->get());
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

}  // namespace

Result<> serve(ServerContext& server) {
  set_nonblocking(server.listener, true);
  const Result<std::vector<UniqueFd>> listeners = listeners_beside(server);
  if (!listeners) return listeners.error();
  return run_worker_threads(server, [&](ServerContext& thread) {
    const bool has_own = thread.worker > 0 && !listeners->empty();
    const int listener = has_own ? (*listeners)[thread.worker - 1].get() : server.listener;
    const bool shares = thread.options.workers > 1 && listeners->empty();
    return EpollReuseport(thread, listener, shares).run();
  });
}

}  // namespace muxbench
