#include "run/run_parts.h"

#include <unistd.h>

#include "plan/experiment_file.h"
#include "plan/name_pattern.h"
#include "run/micro_benchmarks.h"

namespace muxbench {

Result<RunParts> choose_parts(const RunOptions& options) {
  if (const auto profile = find_profile(options.profile); !profile) return profile.error();
  const auto all = load_experiments(options.experiments_dir);
  if (!all) return all.error();
  std::vector<std::string> names;
  for (const Experiment& experiment : *all) names.push_back(experiment.name);
  names.emplace_back(kMicro);
  const auto places = select_names(names, options.experiments.value_or("*"), "experiment");
  if (!places) return places.error();
  RunParts parts;
  for (const std::size_t place : *places) {
    if (place < all->size() && !options.experiments &&
        (*all)[place].is_only_if_named(options.profile)) {
      parts.left_out.push_back((*all)[place].name);
    } else if (place < all->size()) {
      parts.experiments.push_back(with_profile((*all)[place], options.profile));
    } else {
      parts.micro = options.micro;
    }
  }
  if (parts.experiments.empty() && !parts.micro) {
    return usage_error("--no-micro leaves nothing of --experiments {}",
                       options.experiments.value_or("*"));
  }
  if (parts.micro && ::access(options.micro_program.c_str(), X_OK) != 0) {
    return usage_error(
        "there is no program {} for the micro-benchmarks; build it, name it with --micro-program, "
        "or leave them out with --no-micro",
        options.micro_program);
  }
  return parts;
}

}  // namespace muxbench
