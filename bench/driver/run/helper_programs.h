// Programs that the driver runs to their end after the trials: the micro-benchmarks, the scripts that
// draw. An interruption of the driver ends them too.
#pragma once

#include <string>
#include <vector>

namespace muxbench {

struct EndedProgram {
  int status = 0;      // as a shell has it: 128 and more for a signal
  std::string output;  // what it printed, and to standard error
  std::string errors;
};

// Runs them all at once; gives how each ended, in the order of the commands. One that cannot be
// started has status 1 and the reason in `errors`.
std::vector<EndedProgram> run_programs(const std::vector<std::vector<std::string>>& commands);

}  // namespace muxbench
