// From what a run found to its report.
#pragma once

#include "report/report.h"
#include "run/record.h"

namespace muxbench {

// Without conclusions: those are analysis/conclusions.h's.
report::Report make_report(const RunRecord& record);

}  // namespace muxbench
