// From trials to cells: status, flags, and statistics of each metric.
#pragma once

#include <vector>

#include "report/report.h"
#include "run/record.h"

namespace muxbench {

// In the order of the record's cells. `trials` are those of the record as the report has them, in the
// same order.
std::vector<report::Cell> summarize_cells(const RunRecord& record,
                                          const std::vector<report::Trial>& trials);
// Those that were measured once more under a second name, from its trials.
std::vector<report::Cell> summarize_twins(const RunRecord& record,
                                          const std::vector<report::Trial>& trials);

}  // namespace muxbench
