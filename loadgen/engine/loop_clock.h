// The time of a thread's loop, which all its parts share.
#pragma once

#include <algorithm>
#include <functional>
#include <queue>
#include <vector>

#include "engine/connection.h"

namespace muxbench::loadgen {

inline constexpr Nanoseconds kCheckInterval = std::chrono::milliseconds(10);

struct LoopClock {
  Instant now = Clock::now();  // the latest reading of the clock
  Instant next_check = now;    // when the loop looks after timers, timeouts and the window

  Instant read() noexcept { return now = Clock::now(); }
  void check_by(Instant moment) noexcept { next_check = std::min(next_check, moment); }
};

// Connections that are to be looked after at a time: to be opened again, or to send the next byte.
class Timers {
 public:
  explicit Timers(LoopClock& clock) : clock_(clock) {}

  void set(Connection& connection, Nanoseconds pause) {
    const Instant due = clock_.now + pause;
    queue_.push({due, &connection});
    clock_.check_by(due);
  }
  // When the next one is due.
  Instant next() const { return queue_.empty() ? Instant::max() : queue_.top().due; }
  // There must be one.
  Connection& pop() {
    Connection& connection = *queue_.top().connection;
    queue_.pop();
    return connection;
  }

 private:
  struct Timer {
    Instant due;
    Connection* connection;
    bool operator>(const Timer& other) const { return due > other.due; }
  };

  LoopClock& clock_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> queue_;
};

}  // namespace muxbench::loadgen
