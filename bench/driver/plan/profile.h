// How long a run may take. The profiles smoke and quick keep a promise of time whatever the number
// of models and experiments: durations, repetitions and sweeps are fitted to it, and every
// reduction is told. What the promise has beyond the limit of the trials is for the micro-benchmarks
// and for drawing. The profile full has no limit: it runs the files as they are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan/cells.h"
#include "plan/experiment.h"
#include "plan/trial_cost.h"

namespace muxbench {

// What the micro-benchmarks get of a run's time (bench/micro); nothing: as they choose themselves.
struct MicroAmounts {
  std::chrono::seconds budget{};
  std::optional<unsigned> repetitions;
  std::optional<unsigned> largest;                 // descriptors watched
  std::optional<std::chrono::milliseconds> slice;  // for a repetition of a benchmark
};

struct Profile {
  std::string name;
  std::optional<Nanoseconds> limit;  // of the whole run, kept by stopping early if need be
  Nanoseconds target{};              // what the plan may come to: below the limit, for surprises
  Nanoseconds longest{};             // of one measurement
  Nanoseconds comfortable{};         // measurements are cut to this before repetitions are
  Nanoseconds shortest{};            // and to this before sweeps are
  std::optional<Nanoseconds> longest_overhead;  // a cell with more of it is skipped
  Counting counting = Counting::last_points;
  unsigned most_repetitions = kMostRepetitions;
  unsigned least_repetitions = 1;
  unsigned required_repetitions = 1;  // fewer are an error, not a reduction
  MicroAmounts micro;
};

// The table: smoke, quick and full.
const std::vector<Profile>& profiles();
Result<Profile> find_profile(const std::string& name);

// What the command line fixes: the fit leaves it alone.
struct FixedAmounts {
  std::optional<Nanoseconds> duration;
  std::optional<unsigned> repetitions;
};

// A usage error where the command line or an experiment wants fewer trials than the profile takes.
Result<> check_repetitions(const std::vector<Experiment>& experiments, const Profile& profile,
                           const FixedAmounts& fixed);

// A counting trial of the experiment: its counts are exact however short the window is.
Experiment counting_version(Experiment experiment);

// The time of all trials of an experiment that can run here.
using ExperimentCost = std::function<Nanoseconds(const Experiment&)>;
ExperimentCost experiment_cost(const std::vector<Model>& models, const CellLimits& limits,
                               Counting counting);

struct Fitted {
  std::vector<Experiment> experiments;
  std::vector<std::string> notes;  // one sentence per reduction
  Nanoseconds estimate{};
};

Fitted fit(const std::vector<Experiment>& experiments, const ExperimentCost& cost,
           const Profile& profile, const FixedAmounts& fixed);

}  // namespace muxbench
