// What the sessions of one worker share: their protocol, and --work spin.
//
// spin:20us polls the clock until 20 us of wall-clock time have passed: as much processor time, or
// less where the server loses its CPU meanwhile.
#include <atomic>

#include "runtime/model.h"

namespace muxbench {
namespace {

std::atomic<Nanoseconds> spin_time{};  // every worker thread sets it, to the same

void spin() noexcept {
  const auto end = Clock::now() + spin_time.load(std::memory_order_relaxed);
  while (Clock::now() < end) {
  }
}

}  // namespace

SessionContext ServerContext::new_session_context() const {
  SessionContext context;
  if (options.protocol == ProtocolName::greet) context.protocol = Greet();
  if (options.protocol == ProtocolName::http) context.protocol = Http(*site);
  spin_time.store(options.work.spin, std::memory_order_relaxed);
  if (options.work.spin.count() > 0) context.on_request = &spin;
  context.holds_answers = options.work.child;
  return context;
}

}  // namespace muxbench
