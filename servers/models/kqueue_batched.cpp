// kqueue, batched: changes of filters are collected, and ride with the next wait in the same call.
// Syscalls per request: 1/k kevent (k requests ready at once), 1 recv, 1 send; none for changes.
// (The shim makes an epoll_ctl of each.)
// Limit: one thread; what is wrong with a change is learned only with the events of the next wait.
#include "compat/kevent.h"
#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"

namespace muxbench {
namespace {

Probe probe() {
  return {.features = {{"backend", MUXBENCH_KEVENT_BACKEND}, {"changes_ride_with_wait", true}}};
}

}  // namespace

const ModelInfo kModel{.name = "kqueue_batched",
                       .family = "readiness",
                       .mechanism = MUXBENCH_KEVENT_BACKEND ", changes ride with the wait",
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
};

constexpr Token kListener = ~Token{0};
static_assert(sizeof(void*) == sizeof(Token), "a token travels in udata");

class KqueueBatched {
 public:
  explicit KqueueBatched(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

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
          if ((event.flags & EV_ERROR) != 0) {
            connections_.close(token);  // its change failed
          } else {
            on_ready(token, *connection, event.filter);
          }
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
    drop_changes_of_closed();
    const int ready =
        ::kevent(queue_.get(), changes_.data(), static_cast<int>(changes_.size()), events.data(),
                 static_cast<int>(events.size()), timeout < 0 && !has_work ? nullptr : &limit);
    changes_.clear();  // even EINTR means that all were made
    return ready;
  }

  void change(int fd, short filter, unsigned short flags, Token token) {
    EV_SET(&changes_.emplace_back(), static_cast<std::uintptr_t>(fd), filter, flags, 0, 0,
           reinterpret_cast<void*>(token));
  }

  // A change names a descriptor: left in the list, it would be made to whoever has the number next.
  void drop_changes_of_closed() {
    std::erase_if(changes_, [this](const struct kevent& change) {
      const Token token = reinterpret_cast<std::uintptr_t>(change.udata);
      return token != kListener && connections_.find(token) == nullptr;
    });
  }

  void on_listener_ready() {
    const AcceptAdvice advice =
        accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
          change(connection.fd.get(), EVFILT_READ, EV_ADD, token);
          if (connection.session.wants_write()) on_ready(token, connection);
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
      change(connection.fd.get(), EVFILT_READ, stuck ? EV_DISABLE : EV_ENABLE, token);
      change(connection.fd.get(), EVFILT_WRITE, stuck ? EV_ADD : EV_DELETE, token);
    }
  }

  int listener_;
  bool listener_readable_ = false;
  UniqueFd queue_{::kqueue()};
  std::vector<struct kevent> changes_;  // for the next wait
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return KqueueBatched(server).run(); }

}  // namespace muxbench
