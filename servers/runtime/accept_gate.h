// When to accept: not beyond --max-connections, and not for a while after accept(2) or fork(2) ran
// out of something.
//
// A level-triggered listener stays readable while descriptors are exhausted, so a loop that keeps
// trying burns a CPU on failing accepts (4.19 million in 6 s were measured). The gate closes
// instead and opens again after a pause. Workers that run out at the same time open theirs one after
// the other, so that however many they are, fewer than 100 calls a second fail.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "base/error.h"

namespace muxbench {

enum class AcceptAdvice {
  none_left,  // EAGAIN: wait for the listener
  try_next,   // that connection was gone before it was accepted, or a signal came
  pause,      // descriptors, memory or processes ran out: the gate is closed for a while
  stop,       // the stop signal shut the listener down
};

class AcceptGate {
 public:
  explicit AcceptGate(std::size_t max_connections) noexcept : max_connections_(max_connections) {}

  // Accepted in one go before existing connections get their turn again.
  static constexpr int kAcceptsPerRound = 64;
  static constexpr Nanoseconds kPause = std::chrono::milliseconds(100);
  static constexpr Nanoseconds kApart = std::chrono::milliseconds(12);  // of two workers' attempts
  static constexpr Nanoseconds kRivalsTurn = std::chrono::milliseconds(1);

  AcceptAdvice on_error(Errno error) noexcept;
  void close_for_a_while() noexcept;
  // For workers that share a listener, after an accept: closes the gate, for a moment, of one that
  // has more connections than the rival with fewest, by more than an eighth.
  void give_rivals_a_turn(std::size_t connections) noexcept;

  bool is_open(std::size_t connections) noexcept {
    if (paused_ && (Clock::now() >= reopens_ || (rivals_turn_ && !is_ahead(connections)))) {
      paused_ = rivals_turn_ = false;
    }
    return !paused_ && connections < max_connections_;
  }
  bool paused() const noexcept { return paused_; }
  Clock::time_point reopens() const noexcept { return reopens_; }

 private:
  static bool is_ahead(std::size_t connections) noexcept;

  std::size_t max_connections_;
  bool paused_ = false;
  bool rivals_turn_ = false;  // that is why it is paused
  Clock::time_point reopens_{};
};

}  // namespace muxbench
