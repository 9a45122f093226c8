// Runs a load: prepares it, starts the threads, says when the window begins and ends, and gathers
// what they found.
#pragma once

#include "base/result.h"
#include "engine/coordinator.h"
#include "options/options.h"
#include "result/run_result.h"

namespace muxbench::loadgen {

// An error is one of preparation (limits, files) or a command that makes no sense. Failures of the
// load are in the result.
Result<RunResult> run(const Options& options, Coordinator& coordinator);

}  // namespace muxbench::loadgen
