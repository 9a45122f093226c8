// The one clock that durations are measured with: CLOCK_MONOTONIC through the vDSO, about 25 ns a
// reading.
#pragma once

#include <chrono>

namespace muxbench {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

}  // namespace muxbench
