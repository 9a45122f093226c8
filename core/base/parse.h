// Reading numbers with units from command lines and experiment files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace muxbench {

// "20us", "1.5s", "300ms", "40ns", "2m"; a unit is required except for 0. Never negative.
Result<Nanoseconds> parse_duration(std::string_view text);

// "64", "16KiB", "1MiB", "20k" (1000), "1M"; whole numbers only.
Result<std::uint64_t> parse_count(std::string_view text);

// "300 ms", "1.5 s": the largest unit that keeps the number at 1 or more.
std::string to_string(Nanoseconds duration);

// "0-3,6": the list of CPUs as sched_setaffinity(2) users write it; ascending, without repetition.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

}  // namespace muxbench
