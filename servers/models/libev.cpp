// libev: a thin event loop; a watcher per connection calls back when its descriptor is ready, and
// the calls on it are our own.
// Syscalls per request: 1/k epoll_wait (k connections ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck.
// Limit: one thread, one callback per ready descriptor; as epoll beneath, nothing for files.
#include <ev.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {

namespace {

// Whatever the environment says: the model should be the same everywhere.
struct ev_loop* new_loop() {
  return ::ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
}

Probe probe() {
  struct ev_loop* loop = new_loop();
  if (loop == nullptr) return {.unavailable_because = "libev has no backend here"};
  const unsigned number = ::ev_backend(loop);
  ::ev_loop_destroy(loop);
  std::string backend = fmt::format("number {} of ev.h", number);
  if (number == EVBACKEND_EPOLL) backend = "epoll";
  if (number == EVBACKEND_POLL) backend = "poll";
  if (number == EVBACKEND_SELECT) backend = "select";
  return {.features = {
              {"library_version", fmt::format("{}.{}", ::ev_version_major(), ::ev_version_minor())},
              {"backend", backend}}};
}

}  // namespace

const ModelInfo kModel{
    .name = "libev",
    .family = "library",
    .mechanism = "libev: ev_io over its own choice of backend",
    // It tells of a refused watch at the next event, and that may be long in coming.
    .capabilities = {.survives_refused_watch = false},
    .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  Token token = 0;
  ev_io watcher{};
};

class Libev {
 public:
  explicit Libev(const ServerContext& server) : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (loop_ == nullptr) return make_error("libev cannot make a loop with any backend");
    ::ev_set_userdata(loop_, this);
    set_nonblocking(listener_, true);
    ev_io_init(&accept_watcher_, &on_listener_ready, listener_, EV_READ);
    ev_io_init(&stop_watcher_, &on_stop, stop_signal::descriptor(), EV_READ);
    ev_init(&timer_, &on_timer);
    ::ev_io_start(loop_, &accept_watcher_);
    ::ev_io_start(loop_, &stop_watcher_);
    ::ev_run(loop_, 0);  // until ev_break
    ::ev_loop_destroy(loop_);
    return {};
  }

 private:
  using Loop = struct ev_loop;
  static Libev& of(Loop* loop) { return *static_cast<Libev*>(::ev_userdata(loop)); }

  static void on_listener_ready(Loop* loop, ev_io*, int) {
    of(loop).accept_some();
    of(loop).update_timer();
  }

  static void on_stop(Loop* loop, ev_io* watcher, int) {
    ::ev_io_stop(loop, watcher);
    of(loop).connections_.on_accept_error(Errno{EINVAL});
    of(loop).update_timer();
  }

  void accept_some() {
    accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
      connection.token = token;
      ev_io_init(&connection.watcher, &on_ready, connection.fd.get(), EV_READ);
      connection.watcher.data = &connection;
      ::ev_io_start(loop_, &connection.watcher);
      if (connection.session.wants_write()) proceed(connection);
    });
  }

  static void on_ready(Loop* loop, ev_io* watcher, int events) {
    auto& connection = *static_cast<Connection*>(watcher->data);
    Libev& self = of(loop);
    if ((events & EV_ERROR) != 0) return self.close(connection);  // libev could not watch it
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

  void watch_for(Connection& connection, int events) {
    constexpr int kMask = EV_READ | EV_WRITE;  // libev keeps a bit of its own there
    if ((connection.watcher.events & kMask) == events) return;
    ::ev_io_stop(loop_, &connection.watcher);
    ev_io_modify(&connection.watcher, events);
    ::ev_io_start(loop_, &connection.watcher);
  }

  void close(Connection& connection) {
    ::ev_io_stop(loop_, &connection.watcher);
    connections_.close(connection.token);
    update_timer();
  }

  static void on_timer(Loop* loop, ev_timer*, int) {
    Libev& self = of(loop);
    self.connections_.expire([&](Token token) { self.close(*self.connections_.find(token)); });
    self.update_timer();
  }

  // Listens or does not, and keeps one timer for everything that is due at some time.
  void update_timer() {
    if (connections_.finished()) return ::ev_break(loop_, EVBREAK_ALL);
    if (connections_.accepting()) {
      ::ev_io_start(loop_, &accept_watcher_);  // does nothing when it is started already
    } else {
      ::ev_io_stop(loop_, &accept_watcher_);
    }
    if (ev_is_active(&timer_) && connections_.accepting()) return;
    const int due = connections_.timeout_ms();
    if (due < 0) return;
    ::ev_timer_stop(loop_, &timer_);
    ev_timer_set(&timer_, due / 1000.0, 0.0);
    ::ev_timer_start(loop_, &timer_);
  }

  int listener_;
  Loop* loop_ = new_loop();
  ev_io accept_watcher_{};
  ev_io stop_watcher_{};
  ev_timer timer_{};
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Libev(server).run(); }

}  // namespace muxbench
