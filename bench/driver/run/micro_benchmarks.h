// The micro-benchmarks of the waiting primitives (bench/micro): a program of its own, run after the
// trials.
#pragma once

#include <string>

#include "plan/profile.h"
#include "run/helper_programs.h"

namespace muxbench {

// Its experiment's name on the command line.
inline constexpr const char* kMicro = "micro";

// "Micro-benchmarks: 35 seconds at most, on one CPU"
std::string describe(const MicroAmounts& amounts);

// Writes `file` when it is whole, or not at all.
EndedProgram run_micro_benchmarks(const std::string& program, const MicroAmounts& amounts,
                                  const std::string& file);

}  // namespace muxbench
