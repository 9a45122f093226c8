// Clients who never read: a server is held up by them once its send buffer for each is full.
#pragma once

#include "base/clock.h"

namespace muxbench {

// How long the load generator waits for that before it measures, at the most; none, no wait. The
// driver gives it this much more time.
inline Nanoseconds filling_patience(std::uint64_t never_reading) noexcept {
  if (never_reading == 0) return {};
  return std::chrono::seconds(5) +
         std::chrono::milliseconds(100) * static_cast<Nanoseconds::rep>(never_reading);
}

}  // namespace muxbench
