// What the sessions of one worker share: their protocol, and the work of each request.
//
// --work spin:20us polls the clock until 20 us of wall-clock time have passed: as much processor
// time, or less where the server loses its CPU meanwhile.
// --work sleep:1ms does what a handler does that waits for a disk or a database: it blocks its thread
// for 1 ms, and up to about 50 us more (the kernel's timer slack). In an event loop that is the loop.
// --slow-worker 1ms is the same for the first worker only, after its other work.
#include <atomic>
#include <thread>

#include "runtime/model.h"

namespace muxbench {
namespace {

// Every worker thread sets them, to the same.
std::atomic<Nanoseconds> spin_time{};
std::atomic<Nanoseconds> sleep_time{};
std::atomic<Nanoseconds> slow_time{};

// A signal does not end it early.
void block(const std::atomic<Nanoseconds>& time) noexcept {
  std::this_thread::sleep_for(time.load(std::memory_order_relaxed));
}

void work() noexcept {
  const auto end = Clock::now() + spin_time.load(std::memory_order_relaxed);
  while (Clock::now() < end) {
  }
  block(sleep_time);
}

thread_local bool is_first_worker = true;

void work_as_worker() noexcept {
  work();
  if (is_first_worker) block(slow_time);
}

}  // namespace

void run_as_worker(unsigned number) noexcept { is_first_worker = number == 0; }

SessionContext ServerContext::new_session_context() const {
  SessionContext context;
  if (options.protocol == ProtocolName::greet) context.protocol = Greet();
  if (options.protocol == ProtocolName::http) context.protocol = Http(*site);
  spin_time.store(options.work.spin, std::memory_order_relaxed);
  sleep_time.store(options.work.sleep, std::memory_order_relaxed);
  slow_time.store(options.slow_worker, std::memory_order_relaxed);
  const bool works = options.work.spin.count() > 0 || options.work.sleep.count() > 0;
  if (works) context.on_request = &work;
  if (options.slow_worker.count() > 0) context.on_request = &work_as_worker;
  context.holds_answers = options.work.child;
  return context;
}

}  // namespace muxbench
