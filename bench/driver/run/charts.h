// The charts and the page of a result, drawn by the scripts of plots/.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "run/helper_programs.h"

namespace muxbench {

// The first of these Pythons that can import what the scripts take; empty if none can.
std::string find_drawing_python(const std::vector<std::string>& candidates);
// Of PATH's and the system's: the same search as scripts/find_python.sh.
std::string find_drawing_python();

// Draws what is in the folder: micro.json, whose findings are also added to summary.md, and
// report.json. Gives how each script ended. An error says why none was started.
Result<std::vector<EndedProgram>> draw_charts(const std::string& plots_dir,
                                              const std::string& folder, bool quiet);

}  // namespace muxbench
