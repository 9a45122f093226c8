// The part of the report that Google Benchmark's readers understand: `benchmarks`.
#pragma once

#include "report/report.h"

namespace muxbench {

Json envelope_benchmarks(const report::Report& report);

}  // namespace muxbench
