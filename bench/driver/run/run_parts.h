// Choosing what a run is made of.
#pragma once

#include "run/run_setup.h"

namespace muxbench {

// "micro" stands among the experiments like any other. An error where nothing is left, or where a
// program of a chosen part is not there.
Result<RunParts> choose_parts(const RunOptions& options);

}  // namespace muxbench
