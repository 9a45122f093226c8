// libevent with plain events: it accepts for us and calls back when a connection is ready; the
// calls on it are our own.
// Syscalls per request: 1/k epoll_wait (k connections ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: one thread, and more bookkeeping per event than libev: queues by priority, and 128 bytes
// for each event.
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// One thread needs no locks. The change list is not asked for: it would save an epoll_ctl when a
// write gets stuck, but cannot tell us when the kernel refuses a watcher.
event_base* new_base() {
  event_config* config = ::event_config_new();
  ::event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_base* base = ::event_base_new_with_config(config);
  ::event_config_free(config);
  return base;
}

Probe probe() {
  event_base* base = new_base();
  if (base == nullptr) return {.unavailable_because = "libevent has no backend here"};
  Probe probe{.features = {{"library_version", ::event_get_version()},
                           {"backend", ::event_base_get_method(base)}}};
  ::event_base_free(base);
  return probe;
}

}  // namespace

const ModelInfo kModel{.name = "libevent",
                       .family = "library",
                       .mechanism = "libevent: plain events and evconnlistener",
                       .probe = probe};

namespace {

class Libevent;

struct Connection {
  UniqueFd fd;
  Session session;
  Token token = 0;
  Libevent* server = nullptr;
  event watcher{};
};

class Libevent {
 public:
  explicit Libevent(const ServerContext& server) : fd_(server.listener), connections_(server) {}

  Result<> run() {
    ::event_set_log_callback([](int, const char*) {});  // a refused watcher is our own to handle
    if (base_ == nullptr) return make_error("libevent cannot make an event base with any backend");
    set_nonblocking(fd_, true);
    constexpr int kListensAlready = 0;
    listener_ = ::evconnlistener_new(base_, &on_accepted, this, LEV_OPT_CLOSE_ON_EXEC,
                                     kListensAlready, fd_);
    if (listener_ == nullptr) return make_error("libevent cannot watch the listener");
    ::evconnlistener_set_error_cb(listener_, &on_accept_error);
    evtimer_assign(&timer_, base_, &on_timer, this);
    ::event_assign(&stop_, base_, stop_signal::descriptor(), EV_READ, &on_stop, this);
    ::event_add(&stop_, nullptr);
    // Until event_base_loopbreak.
    if (::event_base_dispatch(base_) != 0) {
      return make_error("libevent's loop ended: {}", describe(last_errno()));
    }
    ::event_del(&timer_);
    ::event_del(&stop_);
    ::evconnlistener_free(listener_);
    ::event_base_free(base_);
    return {};
  }

 private:
  // evconnlistener accepts until there is nothing left, or it is disabled in here.
  static void on_accepted(evconnlistener*, int fd, sockaddr*, int, void* argument) {
    Libevent& self = *static_cast<Libevent*>(argument);
    auto [token, connection] = self.connections_.open(UniqueFd(fd));
    connection.token = token;
    connection.server = &self;
    if (connection.session.wants_write()) {
      self.proceed(connection);
    } else {
      self.watch_for(connection, EV_READ);
    }
    self.update_timer();
  }

  static void on_accept_error(evconnlistener*, void* argument) {
    Libevent& self = *static_cast<Libevent*>(argument);
    self.connections_.on_accept_error(static_cast<Errno>(EVUTIL_SOCKET_ERROR()));
    self.update_timer();
  }

  static void on_stop(int, short, void* argument) {
    Libevent& self = *static_cast<Libevent*>(argument);
    self.connections_.on_accept_error(Errno{EINVAL});
    self.update_timer();
  }

  static void on_ready(int, short, void* argument) {
    auto& connection = *static_cast<Connection*>(argument);
    Libevent& self = *connection.server;
    self.connections_.touch(connection.token);
    if (connection.session.wants_write() ||
        recv_once(connection.fd.get(), connection.session) != Received::failed) {
      return self.proceed(connection);
    }
    self.close(connection);
  }

  void proceed(Connection& connection) {
    Session& session = connection.session;
    if (!send_pending(connection.fd.get(), session)) return close(connection);
    watch_for(connection, session.wants_write() ? EV_WRITE : EV_READ);
  }

  void watch_for(Connection& connection, short events) {
    event& watcher = connection.watcher;
    if ((watcher.ev_events & (EV_READ | EV_WRITE)) == events) return;
    if (watcher.ev_events != 0) ::event_del(&watcher);
    ::event_assign(&watcher, base_, connection.fd.get(), static_cast<short>(events | EV_PERSIST),
                   &on_ready, &connection);
    if (::event_add(&watcher, nullptr) != 0) close(connection);
  }

  void close(Connection& connection) {
    if (connection.watcher.ev_events != 0) ::event_del(&connection.watcher);
    connections_.close(connection.token);
    update_timer();
  }

  static void on_timer(int, short, void* argument) {
    Libevent& self = *static_cast<Libevent*>(argument);
    self.connections_.expire([&](Token token) { self.close(*self.connections_.find(token)); });
    self.update_timer();
  }

  // Listens or does not, and keeps one timer for everything that is due at some time.
  void update_timer() {
    if (connections_.finished()) return void(::event_base_loopbreak(base_));
    if (connections_.accepting()) {
      ::evconnlistener_enable(listener_);  // does nothing when it is enabled already
    } else {
      ::evconnlistener_disable(listener_);
    }
    if (evtimer_pending(&timer_, nullptr) && connections_.accepting()) return;
    const int due = connections_.timeout_ms();
    if (due < 0) return;
    const timeval when{.tv_sec = due / 1000, .tv_usec = due % 1000 * 1000};
    evtimer_add(&timer_, &when);
  }

  int fd_;
  event_base* base_ = new_base();
  evconnlistener* listener_ = nullptr;
  event stop_{};
  event timer_{};
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Libevent(server).run(); }

}  // namespace muxbench
