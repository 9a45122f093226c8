// When requests are due in an open loop: one thread's part of an arrival process. Arrival n lies at
// a closed-form distance from the origin, so a late one never shifts those after it.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "options/options.h"

namespace muxbench::loadgen {

using Instant = Clock::time_point;

class ArrivalSchedule {
 public:
  // All threads together make `rate` arrivals a second. Uniform: they take the ticks in turn.
  // Poisson: each draws exponential gaps of its own, the same ones in every run. On many hosts `rate`
  // is that of this one; uniform ticks of all hosts lie apart, and Poisson gaps differ between them.
  ArrivalSchedule(Arrival kind, std::uint64_t rate, unsigned thread, unsigned threads,
                  HostPart part = {}) noexcept
      : kind_(kind), rate_(rate), threads_(threads), thread_(thread), part_(part) {}

  // May be called again: the arrivals begin anew at `origin`. Poisson ones differ from those before.
  void start(Instant origin) noexcept { start(origin, rate_); }
  void start(Instant origin, std::uint64_t rate) noexcept;
  Instant next() const noexcept { return next_; }
  void pop() noexcept;

 private:
  void compute() noexcept;

  Arrival kind_;
  std::uint64_t rate_;
  std::uint64_t threads_;
  std::uint64_t thread_;
  HostPart part_;
  std::uint64_t index_ = 0;  // uniform: of the next arrival among those of all threads
  std::uint64_t drawn_ = 0;
  double elapsed_ns_ = 0;  // Poisson
  Instant origin_{};
  Instant next_ = Instant::max();
};

}  // namespace muxbench::loadgen
