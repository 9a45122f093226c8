// Experiments fitted into the time of a profile: smoke and quick keep their promise whatever the
// number of models and experiments, by shorter durations, fewer repetitions and thinner sweeps, and
// every reduction is told. The profile full has no limit: it runs the files as they are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan/cells.h"
#include "plan/profile.h"

namespace muxbench {

// What the command line fixes: the fit leaves it alone.
struct FixedAmounts {
  std::optional<Nanoseconds> duration;
  std::optional<unsigned> repetitions;
};

// A usage error where the command line or an experiment wants fewer trials than the profile takes.
Result<> check_repetitions(const std::vector<Experiment>& experiments, const Profile& profile,
                           const FixedAmounts& fixed);

// The time of all trials of an experiment that can run here.
using ExperimentCost = std::function<Nanoseconds(const Experiment&)>;
ExperimentCost experiment_cost(const std::vector<Model>& models, const CellLimits& limits,
                               Counting counting);

struct Fitted {
  std::vector<Experiment> experiments;
  std::vector<std::string> notes;  // one sentence per reduction
  // The names of those that are reduced, and of those that are not there any more.
  std::vector<std::string> shortened;
  std::vector<std::string> left_out;
  Nanoseconds estimate{};
};

Fitted fit(const std::vector<Experiment>& experiments, const ExperimentCost& cost,
           const Profile& profile, const FixedAmounts& fixed);

}  // namespace muxbench
