// A result in its JSON form (docs/report-format.md).
#pragma once

#include <string>
#include <vector>

#include "options/options.h"
#include "result/run_result.h"
#include "result/slice_result.h"

namespace muxbench::loadgen {

// One line without its end, or indented for a file. Several steps stand side by side in `steps`.
std::string to_json(const Options& options, const RunResult& result, bool compact);
std::string to_json(const std::vector<Step>& steps, bool compact);

// The line that answers a slice, without its end.
std::string to_json(const SliceResult& slice);

}  // namespace muxbench::loadgen
