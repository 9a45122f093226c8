// When a run of micro-benchmarks must end before its last benchmark: an interruption, or the end of
// the time that it was given. Every benchmark asks before it starts, and between samples.
#pragma once

#include <string>

#include "base/clock.h"

namespace muxbench {

// SIGINT, SIGTERM and SIGHUP set a flag from now on. Call it once, before set_time_limit().
void catch_interrupts();
bool interrupted() noexcept;

// What a benchmark gets for one repetition, warm-up and untimed work included, set-up excluded; and
// when the run as a whole is over.
void set_time_limit(Nanoseconds slice, Clock::time_point deadline);
Nanoseconds slice() noexcept;  // 0 when the run is over
bool time_is_over() noexcept;

// Ends the process in the middle of a run, without the file that is being written: part of a result
// would look whole.
[[noreturn]] void end_interrupted();
void set_unfinished_file(const std::string& path);

// How the message of a benchmark that was left out begins, as opposed to one that went wrong.
inline constexpr const char* kSkipped = "skipped: ";

}  // namespace muxbench
