// The part of the report that Google Benchmark's readers understand: `context` and `benchmarks`.
#pragma once

#include "run/record.h"

namespace muxbench {

Json envelope_benchmarks(const RunRecord& record);

// RFC 3339 in UTC: "2025-01-31T12:00:00Z".
std::string rfc3339(std::chrono::system_clock::time_point time);

}  // namespace muxbench
