// Waiting while nothing may be accepted, where no wait call of an event loop does it.
#pragma once

#include "base/clock.h"

namespace muxbench {

// Sleeps until it is worth another look whether accepting still pauses, or until a signal.
void sleep_briefly() noexcept;

// The same for a worker among many, whose pause ends when its turn has come.
void sleep_until(Clock::time_point time) noexcept;

}  // namespace muxbench
