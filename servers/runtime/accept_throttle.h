// When to accept: not beyond --max-connections, and not for a while after accept(2) or fork(2) ran
// out of something.
//
// A level-triggered listener stays readable while descriptors are exhausted, so a loop that keeps
// trying burns a CPU on failing accepts (4.19 million in 6 s were measured). So accepting
// pauses. Workers that run out at the same time try again one after the other, so that however many
// they are, fewer than 100 calls a second fail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/error.h"

namespace muxbench {

enum class AcceptAdvice {
  none_left,  // EAGAIN: wait for the listener
  try_next,   // that connection was gone before it was accepted, or a signal came
  pause,      // descriptors, memory or processes ran out: accept nothing for a while
  stop,       // the stop signal shut the listener down
};

class AcceptThrottle {
 public:
  explicit AcceptThrottle(std::size_t max_connections) noexcept
      : max_connections_(max_connections) {}

  static constexpr Nanoseconds kPause = std::chrono::milliseconds(100);
  static constexpr Nanoseconds kApart = std::chrono::milliseconds(12);  // of two workers' attempts
  static constexpr Nanoseconds kRebalancePause = std::chrono::milliseconds(1);

  // What to do when accept(2) has failed; pauses where that is the advice.
  AcceptAdvice on_error(Errno error) noexcept;
  void pause() noexcept;
  // For workers that share a listener, after an accept: one that has more connections than the worker
  // with fewest, by more than an eighth, pauses for a moment, so that the others accept.
  void rebalance_accepts(std::size_t connections) noexcept;

  bool may_accept(std::size_t connections) noexcept {
    if (paused_ && (Clock::now() >= pause_ends_ || (rebalancing_ && !is_ahead(connections)))) {
      paused_ = rebalancing_ = false;
    }
    return !paused_ && connections < max_connections_;
  }
  bool paused() const noexcept { return paused_; }
  // For a wait call: milliseconds until the pause ends, -1 if there is none.
  int pause_ms() const noexcept {
    if (!paused_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(pause_ends_ - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }
  Clock::time_point pause_ends() const noexcept { return pause_ends_; }

 private:
  static bool is_ahead(std::size_t connections) noexcept;

  std::size_t max_connections_;
  bool paused_ = false;
  bool rebalancing_ = false;  // that is why it is paused
  Clock::time_point pause_ends_{};
};

}  // namespace muxbench
