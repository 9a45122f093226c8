// A result as tables for other tools.
#pragma once

#include <string>
#include <vector>

#include "result/run_result.h"

namespace muxbench::loadgen {

// A line of names, then one for each run, so that several files are one table without their first
// lines. What was not measured is empty.
std::string to_csv(const std::vector<Step>& steps);

}  // namespace muxbench::loadgen
