// Experiment files: JSON that people write, see bench/experiments/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/experiment.h"

namespace muxbench {

Result<Experiment> parse_experiment(std::string_view text, const std::string& file);
// Every *.json of a folder, in the order in which they run.
Result<std::vector<Experiment>> load_experiments(const std::string& folder);

}  // namespace muxbench
