// State Threads over poll(2): a connection is a thread of that library, a function in blocking style
// with a stack of its own. Where it would block another runs, and where none can, the library waits.
// Syscalls per request: 1/k poll (k connections ready at once), 1 recv, 1 send.
// Limit: every wait hands the whole list of those who wait to the kernel, as in poll; and a stack for
// each connection.
#include <poll.h>
#include <st.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

Probe probe() {
  return {.features = {{"library_version", fmt::format("State Threads {}", ST_VERSION)},
                       {"backend", "poll"}}};
}

}  // namespace

const ModelInfo kModel{.name = "fiber_st",
                       .family = "library",
                       .mechanism = "State Threads, scheduled by poll, one thread",
                       .probe = probe};

namespace {

class FiberSt;

struct Connection {
  UniqueFd fd;
  Session session;
  FiberSt* server = nullptr;
  Token token = 0;
};

class FiberSt {
 public:
  explicit FiberSt(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

  // In the first thread of the library, which accepts.
  Result<> run() {
    ::st_set_eventsys(ST_EVENTSYS_POLL);
    if (::st_init() != 0) {
      return make_error("cannot set up State Threads: {}", describe(last_errno()));
    }
    acceptor_ = ::st_thread_self();
    set_nonblocking(listener_, true);
    while (!connections_.finished()) {
      if (wait_for_clients()) {
        accept_burst(listener_, connections_,
                     [this](Token token, Connection& connection) { start(token, connection); });
      }
      connections_.expire([this](Token token) {
        ::shutdown(connections_.find(token)->fd.get(), SHUT_RDWR);  // its thread ends with that
        connections_.restart_silence(token);
      });
    }
    return {};
  }

 private:
  static constexpr int kStackBytes = 64 * 1024;

  // False if it was interrupted, or something else is due.
  bool wait_for_clients() {
    const bool accepting = connections_.accepting();
    const int timeout = connections_.timeout_ms();
    waits_for_room_ = !accepting;
    if (connections_.stopping()) {  // the listener would be ready for ever
      ::st_usleep(in_microseconds(timeout));
      return false;
    }
    // The library waits for no hang-up alone.
    pollfd ready{.fd = accepting ? listener_ : stop_, .events = POLLIN, .revents = 0};
    return ::st_poll(&ready, 1, in_microseconds(timeout)) > 0;
  }

  static st_utime_t in_microseconds(int milliseconds) noexcept {
    return milliseconds < 0 ? ST_UTIME_NO_TIMEOUT : st_utime_t{1000} * unsigned(milliseconds);
  }

  void start(Token token, Connection& connection) {
    connection.server = this;
    connection.token = token;
    const auto run_thread = [](void* its_connection) -> void* {
      auto& mine = *static_cast<Connection*>(its_connection);
      mine.server->converse(mine);
      return nullptr;
    };
    const int joinable = 0;
    if (::st_thread_create(run_thread, &connection, joinable, kStackBytes) == nullptr) {
      connections_.refuse(token);
    }
  }

  // A thread of the library.
  void converse(Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    while (send_pending(fd, session)) {
      const bool writes = session.wants_write();
      pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
      if (writes) ready.events = POLLOUT;
      if (::st_poll(&ready, 1, ST_UTIME_NO_TIMEOUT) < 0) break;
      connections_.touch(connection.token);
      if (!writes && recv_once(fd, session) == Received::failed) break;
    }
    connections_.close(connection.token);
    if (waits_for_room_ || connections_.finished()) ::st_thread_interrupt(acceptor_);
  }

  const int listener_;
  const int stop_ = stop_signal::descriptor();
  st_thread_t acceptor_ = nullptr;
  bool waits_for_room_ = false;  // the acceptor, until it is interrupted
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return FiberSt(server).run(); }

}  // namespace muxbench
