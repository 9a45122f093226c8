// The verdicts on every two models at every point, for readers of a report.
#pragma once

#include <vector>

#include "report/report.h"

namespace muxbench {

// For each metric that models are compared by what `muxbench compare REPORT --models A,B --metrics M`
// says, with its usual settings. None of a report with a trial that cannot have been measured.
std::vector<report::VerdictTable> verdict_tables(const report::Report& report);

}  // namespace muxbench
