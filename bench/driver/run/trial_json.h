// A trial as the report keeps it.
#pragma once

#include "run/record.h"

namespace muxbench {

Json trial_json(const RunRecord& record, const TrialResult& trial);

}  // namespace muxbench
