// Numbers and tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace muxbench {

// "191.2 k/s", "12.3 us", "3.1 MiB"
std::string format_rate(double per_second);
std::string format_time(double nanoseconds);
std::string format_bytes(double bytes);
// "from 1 to 1,024", or "1 or more" where nothing but the size of an integer is the limit.
std::string format_range(std::uint64_t least, std::uint64_t most);
std::string format_duration(Nanoseconds duration);  // rounded up: "2 min 10 s", "12 s"
// RFC 3339 in UTC: "2025-01-31T12:00:00Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

std::string to_string(const std::vector<int>& cpus);    // "0,1"
std::string format_cpus(const std::vector<int>& cpus);  // "2 CPUs (0,1)"

// Text of programs and reports for Markdown: no HTML, no link, no end of a table's cell or row. Our own
// emphasis and code marks stay.
std::string escape_markdown(std::string_view text);

// Rows of equal length as a Markdown table whose columns line up on a terminal too; the first row
// is the heading.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace muxbench
