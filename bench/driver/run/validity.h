// What makes a measured cell unfit for ranking, each with the numbers that say so.
#pragma once

#include <string>
#include <vector>

#include "report/flag.h"
#include "run/record.h"

namespace muxbench {

std::vector<Flag> flags_of(const RunRecord& record, const Cell& cell,
                           const std::vector<const TrialResult*>& trials);

}  // namespace muxbench
