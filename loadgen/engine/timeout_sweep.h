// Looks at all connections in turn, each one within an eighth of the shortest timeout. So what has
// been under way too long is found, and that costs nothing per request.
#pragma once

#include <algorithm>

#include "engine/arrivals.h"
#include "options/options.h"

namespace muxbench::loadgen {

class TimeoutSweep {
 public:
  explicit TimeoutSweep(const Options& options)
      : lap_(std::min(options.timeout, options.connect_timeout) / 8) {}

  // The time before `now` is left out.
  void restart(Instant now) noexcept { last_ = now; }

  // Calls look(index) for the part of `count` connections that the time since the last sweep stands
  // for, and one more.
  template <typename Look>
  void sweep(Instant now, std::size_t count, Look look) {
    const double part = static_cast<double>((now - last_).count()) /
                        static_cast<double>(std::max<Nanoseconds::rep>(lap_.count(), 1));
    last_ = now;
    if (count == 0) return;
    auto steps = static_cast<std::size_t>(std::min(1.0, part) * static_cast<double>(count) + 1);
    for (; steps > 0; --steps, ++next_) {
      if (next_ >= count) next_ = 0;
      look(next_);
    }
  }

 private:
  Nanoseconds lap_;
  Instant last_ = Clock::now();
  std::size_t next_ = 0;
};

}  // namespace muxbench::loadgen
