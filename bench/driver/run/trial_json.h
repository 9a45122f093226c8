// A trial as the report keeps it.
#pragma once

#include "report/slices.h"
#include "run/record.h"

namespace muxbench {

// Those of a round.
report::Slices reported_slices(const TrialResult& round);

Json trial_json(const RunRecord& record, const TrialResult& trial);

}  // namespace muxbench
