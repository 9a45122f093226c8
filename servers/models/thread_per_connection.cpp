// A thread for each connection, as many as there are clients, each in blocking calls.
// Syscalls per request: 1 recv, 1 send; a wake-up by the scheduler, and per connection a clone and
// its stack.
// Limit: thousands of threads: memory for their stacks, and a context switch for every message.
#include <pthread.h>

#include <condition_variable>
#include <list>
#include <mutex>

#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "thread_per_connection",
                       .family = "thread",
                       .mechanism = "accept and pthread_create, blocking recv and send",
                       .capabilities = {.child_work = true}};

namespace {

class ThreadPerConnection {
 public:
  explicit ThreadPerConnection(const ServerContext& server)
      : server_(server), throttle_(server.options.max_connections) {
    ::pthread_attr_init(&attributes_);
    ::pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED);
    ::pthread_attr_setstacksize(&attributes_, kStackBytes);
  }

  void run() {
    while (!stop_signal::requested()) {
      if (!throttle_.may_accept(running())) {
        sleep_briefly();
        continue;
      }
      const IoResult accepted = sys::accept(server_.listener);
      if (!accepted.ok()) {
        throttle_.on_error(accepted.error());
        continue;
      }
      count(server_.counters().accepted);
      start_thread(UniqueFd(accepted.fd()));
    }
    std::unique_lock lock(mutex_);
    for (const Connection& connection : connections_) ::shutdown(connection.fd.get(), SHUT_RD);
    none_left_.wait(lock, [this] { return connections_.empty(); });
  }

 private:
  static constexpr std::size_t kStackBytes = 256 * 1024;

  struct Connection {
    ThreadPerConnection* server;
    UniqueFd fd;
    std::list<Connection>::iterator self{};
  };

  std::size_t running() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  void start_thread(UniqueFd fd) {
    const std::lock_guard lock(mutex_);
    connections_.push_front({this, std::move(fd)});
    connections_.front().self = connections_.begin();
    pthread_t thread;
    if (::pthread_create(&thread, &attributes_, &run_thread, &connections_.front()) != 0) {
      connections_.pop_front();  // too many threads: this connection is shed
      throttle_.pause();
    }
  }

  static void* run_thread(void* argument) {
    stop_signal::leave_to_main_thread();
    auto& connection = *static_cast<Connection*>(argument);
    ThreadPerConnection& server = *connection.server;
    set_io_timeout(connection.fd.get(), server.server_.options.idle_timeout);
    {
      SessionContext sessions = server.server_.new_session_context();
      Session session(sessions);
      converse(connection.fd.get(), session, server.server_.options.idle_timeout);
      server.server_.counters().requests += sessions.requests;
    }
    const std::lock_guard lock(server.mutex_);
    server.connections_.erase(connection.self);
    if (server.connections_.empty()) server.none_left_.notify_one();
    return nullptr;
  }

  const ServerContext& server_;
  AcceptThrottle throttle_;
  pthread_attr_t attributes_;
  std::mutex mutex_;  // guards connections_: held when one begins and ends, never for a request
  std::condition_variable none_left_;
  std::list<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  ThreadPerConnection(server).run();
  return {};
}

}  // namespace muxbench
