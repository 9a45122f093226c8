// Threads started in advance: each blocks in accept on the one listener, and the kernel gives a
// connection to one of them.
// Syscalls per request: 1 recv, 1 send; a wake-up by the scheduler, and none for the connection but
// accept and close.
// Limit: as many clients at once as there are threads; a silent client holds one (unless
// --idle-timeout is set).
#include <poll.h>
#include <pthread.h>

#include <mutex>

#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "net/sys.h"
#include "processes/worker_group.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

// 256, as thread_pool and prefork have it: room for the 128 connections at which models are
// compared.
const ModelInfo kModel{.name = "prethread_accept",
                       .family = "thread",
                       .mechanism = "threads that each block in accept, recv and send",
                       .capabilities = {.workers = true,
                                        .child_work = true,
                                        .one_client_per_worker = true,
                                        .default_workers = 256},
                       .says_when_ready = true};

namespace {

// The connection that a thread serves. The main thread ends its input when the server stops.
class Served {
 public:
  int begin(UniqueFd connection) noexcept {
    const std::lock_guard lock(mutex_);
    connection_ = std::move(connection);
    if (stop_signal::requested()) ::shutdown(connection_.get(), SHUT_RD);
    return connection_.get();
  }
  void end() noexcept {
    const std::lock_guard lock(mutex_);
    connection_.reset();
  }
  void end_input() noexcept {
    const std::lock_guard lock(mutex_);
    ::shutdown(connection_.get(), SHUT_RD);
  }

 private:
  std::mutex mutex_;  // held when a connection begins and ends, never for a request
  UniqueFd connection_;
};

class PrethreadAccept {
 public:
  explicit PrethreadAccept(const ServerContext& server) : served_(server.options.workers) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, kStackBytes);
    ::pthread_setattr_default_np(&attributes);  // for the threads that are started now
    ::pthread_attr_destroy(&attributes);
  }

  Result<> run_thread(const ServerContext& thread) {
    Served& served = served_[thread.worker];
    SessionContext sessions = thread.new_session_context();
    AcceptThrottle throttle(thread.options.max_connections);
    const Nanoseconds idle_timeout = thread.options.idle_timeout;
    thread.ready();
    while (!stop_signal::requested()) {
      // All threads sleep here, and Linux wakes the one that has waited longest.
      const IoResult accepted = sys::accept(thread.listener);
      if (!accepted.ok()) {
        if (throttle.on_error(accepted.error()) == AcceptAdvice::pause) {
          wait_for_stop(throttle.pause_ms());
        }
        continue;
      }
      count(thread.counters().accepted);
      const int connection = served.begin(UniqueFd(accepted.fd()));
      set_io_timeout(connection, idle_timeout);
      {
        Session session(sessions);
        converse(connection, session, idle_timeout);
      }
      thread.counters().requests = sessions.requests;
      served.end();
    }
    return {};
  }

  // The signal shuts the listener down, which ends every accept; those who wait in recv are told here.
  Result<> end_all_input_at_stop() {
    while (!stop_signal::requested()) wait_for_stop(-1);
    for (Served& each : served_) each.end_input();
    return {};
  }

 private:
  static constexpr std::size_t kStackBytes = 256 * 1024;

  void wait_for_stop(int timeout_ms) const noexcept {
    pollfd stop{.fd = stop_, .events = POLLIN, .revents = 0};
    ::poll(&stop, 1, timeout_ms);
  }

  const int stop_ = stop_signal::descriptor();
  std::vector<Served> served_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  // A worker is a connection, so --max-connections limits the workers.
  Options options = server.options;
  options.workers =
      static_cast<unsigned>(std::min<std::size_t>(options.workers, options.max_connections));
  const ServerContext group = server.for_worker(0, options);
  PrethreadAccept model(group);
  return run_worker_threads(
      group, [&](ServerContext& thread) { return model.run_thread(thread); },
      [&](std::size_t) { return model.end_all_input_at_stop(); });
}

}  // namespace muxbench
