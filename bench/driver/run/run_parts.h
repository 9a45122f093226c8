// What of a run was asked for: experiments with servers, the micro-benchmarks, or both.
#pragma once

#include "run/run_setup.h"

namespace muxbench {

struct RunParts {
  std::vector<Experiment> experiments;  // as the profile has them; none: no server is measured
  bool micro = false;
};

// "micro" stands among the experiments like any other. An error where nothing is left, or where a
// program of a chosen part is not there.
Result<RunParts> choose_parts(const RunOptions& options);

}  // namespace muxbench
