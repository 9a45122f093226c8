// Numbers and tables for people.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace muxbench {

// "191.2 k/s", "12.3 us", "3.1 MiB"
std::string show_rate(double per_second);
std::string show_time(double nanoseconds);
std::string show_bytes(double bytes);
std::string show_duration(Nanoseconds duration);  // rounded up: "2 min 10 s", "12 s"

// Rows of equal length as a Markdown table whose columns line up on a terminal too; the first row
// is the heading.
std::string show_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace muxbench
