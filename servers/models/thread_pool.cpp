// A fixed number of threads, each with one client at a time; accepted sockets wait for a free
// thread in a bounded queue.
// Syscalls per request: 1 recv, 1 send; a wake-up by the scheduler, and per connection at most two
// futex calls.
// Limit: as many clients at once as there are threads; a silent client holds a thread (unless
// --idle-timeout is set).
#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/unique_fd.h"
#include "blocking/converse.h"
#include "blocking/pauses.h"
#include "net/sys.h"
#include "runtime/accept_throttle.h"
#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {

// 256, Apache's long-standing default (MaxRequestWorkers): room for the 128 connections at which
// models are compared, and more threads than that would make this thread_per_connection.
const ModelInfo kModel{
    .name = "thread_pool",
    .family = "thread",
    .mechanism = "accept, a queue and a fixed number of threads, blocking recv and send",
    .capabilities = {.workers = true,
                     .child_work = true,
                     .one_client_per_worker = true,
                     .default_workers = 256},
    .says_when_ready = true};

namespace {

class ThreadPool {
 public:
  explicit ThreadPool(const ServerContext& server)
      : server_(server),
        throttle_(server.options.max_connections),
        threads_(server.options.workers) {}

  Result<> run() {
    start_threads();
    if (started_ == 0) return make_error("cannot start a thread: {}", describe(Errno{EAGAIN}));
    for (unsigned i = 0; i < server_.options.workers; ++i) server_.ready();  // for all of them
    while (!stop_signal::requested()) {
      if (!wait_for_room()) continue;
      const IoResult accepted = sys::accept(server_.listener);
      if (!accepted.ok()) {
        throttle_.on_error(accepted.error());
        continue;
      }
      if (started_ < threads_.size()) start_threads();
      const std::lock_guard lock(mutex_);
      queue_.emplace_back(accepted.fd());
      ++connections_;
      work_.notify_one();
    }
    finish();
    return {};
  }

 private:
  static constexpr std::size_t kStackBytes = 256 * 1024;
  static constexpr Nanoseconds kLookAgain = std::chrono::milliseconds(20);

  struct Thread {
    ThreadPool* pool = nullptr;
    unsigned number = 0;
    pthread_t id{};
    UniqueFd connection{};  // the one that it serves now
  };

  // Too many threads for this system: those that run share the work, and the next connection tries
  // again.
  void start_threads() {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, kStackBytes);
    for (; started_ < threads_.size(); ++started_) {
      Thread& thread = threads_[started_];
      thread.pool = this;
      thread.number = static_cast<unsigned>(started_);
      if (::pthread_create(&thread.id, &attributes, &run_thread, &thread) != 0) break;
    }
    ::pthread_attr_destroy(&attributes);
  }

  // The queue holds as many sockets as there are threads; what comes after them waits in the
  // listener's backlog. The stop signal's handler cannot wake a condition variable, so the wait is
  // short.
  bool wait_for_room() {
    std::unique_lock lock(mutex_);
    const auto open = [this] {
      return queue_.size() < started_ && throttle_.may_accept(connections_);
    };
    if (open()) return true;
    return room_.wait_for(lock, kLookAgain, open);
  }

  static void* run_thread(void* argument) {
    stop_signal::leave_to_main_thread();
    auto& thread = *static_cast<Thread*>(argument);
    thread.pool->serve_queue(thread);
    return nullptr;
  }

  void serve_queue(Thread& thread) {
    run_as_worker(thread.number);
    SessionContext sessions = server_.new_session_context();
    WorkerCounters& counters = counters::of_worker(thread.number);
    while (take_from_queue(thread)) {
      count(counters.accepted);
      set_io_timeout(thread.connection.get(), server_.options.idle_timeout);
      {
        Session session(sessions);
        converse(thread.connection.get(), session, server_.options.idle_timeout);
      }
      counters.requests = sessions.requests;
      leave(thread);
    }
  }

  bool take_from_queue(Thread& thread) {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return false;
    thread.connection = std::move(queue_.front());
    queue_.pop_front();
    if (stopping_) ::shutdown(thread.connection.get(), SHUT_RD);
    room_.notify_one();
    return true;
  }

  void leave(Thread& thread) {
    UniqueFd ended;  // closed after the lock is given up
    const std::lock_guard lock(mutex_);
    ended = std::move(thread.connection);
    --connections_;
    room_.notify_one();
  }

  // What was accepted is still answered: each connection's input ends where it is now.
  void finish() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const Thread& thread : threads_) ::shutdown(thread.connection.get(), SHUT_RD);
    }
    work_.notify_all();
    for (std::size_t i = 0; i < started_; ++i) ::pthread_join(threads_[i].id, nullptr);
  }

  const ServerContext& server_;
  AcceptThrottle throttle_;
  std::vector<Thread> threads_;
  std::size_t started_ = 0;  // of threads_, from the front

  std::mutex mutex_;  // guards what follows, and Thread::connection; never held for a request
  std::condition_variable work_;
  std::condition_variable room_;
  std::deque<UniqueFd> queue_;
  std::size_t connections_ = 0;  // in the queue and with a thread
  bool stopping_ = false;
};

}  // namespace

Result<> serve(ServerContext& server) { return ThreadPool(server).run(); }

}  // namespace muxbench
