#include "runtime/accept_gate.h"

#include <algorithm>

#include "runtime/counters.h"
#include "runtime/stop_signal.h"

namespace muxbench {

AcceptAdvice AcceptGate::on_error(Errno error) noexcept {
  switch (static_cast<int>(error)) {
    case EAGAIN:
      // A non-blocking AF_UNIX listener says this even when it has been shut down.
      return stop_signal::requested() ? AcceptAdvice::stop : AcceptAdvice::none_left;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      close_for_a_while();
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

void AcceptGate::close_for_a_while() noexcept {
  paused_ = true;
  std::atomic<Clock::time_point>& next = counters::next_accept_attempt();
  const Clock::time_point soonest = Clock::now() + kPause;
  Clock::time_point queued = next;
  do {
    reopens_ = std::max(queued, soonest);
  } while (!next.compare_exchange_weak(queued, reopens_ + kApart));
}

bool AcceptGate::is_ahead(std::size_t connections) noexcept {
  const std::uint64_t fewest = counters::fewest_open();
  return connections > fewest + fewest / 8 + 1;
}

void AcceptGate::give_rivals_a_turn(std::size_t connections) noexcept {
  if (!is_ahead(connections)) return;
  paused_ = rivals_turn_ = true;
  reopens_ = Clock::now() + kRivalsTurn;
}

}  // namespace muxbench
