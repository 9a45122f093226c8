#include "runtime/accept_throttle.h"

#include <algorithm>

#include "runtime/counters.h"
#include "runtime/stop_signal.h"

namespace muxbench {

AcceptAdvice AcceptThrottle::on_error(Errno error) noexcept {
  switch (static_cast<int>(error)) {
    case EAGAIN:
      // A non-blocking AF_UNIX listener says this even when it has been shut down.
      return stop_signal::requested() ? AcceptAdvice::stop : AcceptAdvice::none_left;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      pause();
      return AcceptAdvice::pause;
    case EINVAL:
      if (stop_signal::requested()) return AcceptAdvice::stop;
      [[fallthrough]];
    default:
      // accept(2): the new connection's own pending errors (ECONNABORTED, EPROTO, ENETDOWN, ...)
      // mean "try the next".
      return AcceptAdvice::try_next;
  }
}

void AcceptThrottle::pause() noexcept {
  paused_ = true;
  std::atomic<Clock::time_point>& next = counters::next_accept_attempt();
  const Clock::time_point soonest = Clock::now() + kPause;
  Clock::time_point queued = next;
  do {
    pause_ends_ = std::max(queued, soonest);
  } while (!next.compare_exchange_weak(queued, pause_ends_ + kApart));
}

bool AcceptThrottle::is_ahead(std::size_t connections) noexcept {
  const std::uint64_t fewest = counters::fewest_open();
  return connections > fewest + fewest / 8 + 1;
}

void AcceptThrottle::rebalance_accepts(std::size_t connections) noexcept {
  if (!is_ahead(connections)) return;
  paused_ = rebalancing_ = true;
  pause_ends_ = Clock::now() + kRebalancePause;
}

}  // namespace muxbench
