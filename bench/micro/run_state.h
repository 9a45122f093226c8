// When a run of micro-benchmarks must end before its last benchmark: an interruption, or the end of
// the time that it was given. Every benchmark asks before it starts, and between samples.
#pragma once

#include <optional>

#include "base/clock.h"

namespace muxbench {

// SIGINT, SIGTERM and SIGHUP set a flag from now on. Call it once, before set_time_limit().
void catch_interrupts();
bool interrupted() noexcept;

// What a benchmark gets for one repetition, warm-up and untimed work included, set-up excluded; and
// when the run as a whole is over.
void set_time_limit(Nanoseconds slice, Clock::time_point deadline);
Nanoseconds slice() noexcept;

// Why no further benchmark may run; nullptr while they may.
const char* why_to_stop() noexcept;

// How the message of a benchmark that was left out begins, as opposed to one that went wrong.
inline constexpr const char* kSkipped = "skipped: ";

}  // namespace muxbench
