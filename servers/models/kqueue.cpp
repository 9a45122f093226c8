// kqueue: the kernel keeps filters on descriptors, a wait returns those that are ready; here every
// change of a filter is a kevent call of its own.
// Syscalls per request: 1/k kevent (k requests ready at once), 1 recv, 1 send; 1 kevent for each
// connection, and 4 for each time that a write gets stuck.
// Limit: one thread; and each change is a call (kqueue_batched: none of them is).
#include "compat/kevent.h"
#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"

namespace muxbench {
namespace {

Probe probe() {
  return {.features = {{"backend", MUXBENCH_KEVENT_BACKEND}, {"changes_ride_with_wait", false}}};
}

}  // namespace

const ModelInfo kModel{.name = "kqueue",
                       .family = "readiness",
                       .mechanism = MUXBENCH_KEVENT_BACKEND ", one change in each call",
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
};

constexpr Token kListener = ~Token{0};
static_assert(sizeof(void*) == sizeof(Token), "a token travels in udata");

class Kqueue {
 public:
  explicit Kqueue(const ServerContext& server) : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (!queue_) return make_error("cannot create a kqueue: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    // EV_CLEAR: told once, so the listener needs no change while no connection may be accepted.
    change(listener_, EVFILT_READ, EV_ADD | EV_CLEAR, kListener);
    std::array<struct kevent, 512> events;
    while (!connections_.finished()) {
      const int ready = wait(events);
      for (int i = 0; i < ready; ++i) {
        const struct kevent& event = events[static_cast<std::size_t>(i)];
        const Token token = reinterpret_cast<std::uintptr_t>(event.udata);
        if (token == kListener) {
          listener_readable_ = true;
          if ((event.flags & EV_EOF) != 0) connections_.on_accept_error(Errno{EINVAL});
        } else if (Connection* connection =
                       connections_.find(token)) {  // else: closed since this wait began
          on_ready(token, *connection, event.filter);
        }
      }
      if (listener_readable_ && connections_.accepting()) on_listener_ready();
      connections_.expire([this](Token token) { connections_.close(token); });
    }
    return {};
  }

 private:
  int wait(std::span<struct kevent> events) {
    const int timeout = connections_.timeout_ms();
    const bool has_work = listener_readable_ && connections_.accepting();
    timespec limit{.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1'000'000L};
    if (has_work) limit = {};
    return ::kevent(queue_.get(), nullptr, 0, events.data(), static_cast<int>(events.size()),
                    timeout < 0 && !has_work ? nullptr : &limit);
  }

  bool change(int fd, short filter, unsigned short flags, Token token) {
    struct kevent change;
    EV_SET(&change, static_cast<std::uintptr_t>(fd), filter, flags, 0, 0,
           reinterpret_cast<void*>(token));
    return ::kevent(queue_.get(), &change, 1, nullptr, 0, nullptr) == 0;
  }

  void on_listener_ready() {
    const AcceptAdvice advice =
        accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
          if (!change(connection.fd.get(), EVFILT_READ, EV_ADD, token)) {
            connections_.close(token);
          } else if (connection.session.wants_write()) {
            on_ready(token, connection);
          }
        });
    listener_readable_ = may_have_left_some(advice);  // of which nothing tells
  }

  // Either READ or WRITE is on, so the one that fired tells which it was.
  void on_ready(Token token, Connection& connection, short filter = EVFILT_READ) {
    Session& session = connection.session;
    connections_.touch(token);
    const int fd = connection.fd.get();
    if (!session.wants_write() && recv_once(fd, session) == Received::failed)
      return connections_.close(token);
    if (!send_pending(fd, session)) return connections_.close(token);

    const bool stuck = session.wants_write();
    if (stuck != (filter == EVFILT_WRITE)) {
      const int fd = connection.fd.get();
      const bool changed = change(fd, EVFILT_READ, stuck ? EV_DISABLE : EV_ENABLE, token) &&
                           change(fd, EVFILT_WRITE, stuck ? EV_ADD : EV_DELETE, token);
      if (!changed) connections_.close(token);  // or nothing would tell when it can go on
    }
  }

  int listener_;
  bool listener_readable_ = false;
  UniqueFd queue_{::kqueue()};
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Kqueue(server).run(); }

}  // namespace muxbench
