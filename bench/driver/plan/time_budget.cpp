#include "plan/time_budget.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/parse.h"
#include "plan/extra_trials.h"
#include "plan/trial_cost.h"

namespace muxbench {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::size_t longest_sweep(const std::vector<Experiment>& experiments) {
  std::size_t longest = 0;
  for (const Experiment& experiment : experiments) {
    for (const Sweep& sweep : experiment.sweep) longest = std::max(longest, sweep.values.size());
  }
  return longest;
}

Nanoseconds total(const std::vector<Experiment>& experiments, const ExperimentCost& cost) {
  Nanoseconds sum{};
  for (const Experiment& experiment : experiments) sum += cost(experiment);
  return sum;
}

// Durations between `least`, or what an experiment needs at the least (share 0), and the experiment's own (share 1); the warm-up
// shrinks with them. Whole milliseconds, so that reports read well.
std::vector<Experiment> with_durations(std::vector<Experiment> experiments, double share,
                                       Nanoseconds least) {
  for (Experiment& experiment : experiments) {
    const auto full = static_cast<double>(experiment.duration.count());
    const Nanoseconds shortest = std::max(least, shortest_window(experiment));
    const auto low = std::min(full, static_cast<double>(shortest.count()));
    const double wanted = low + share * (full - low);
    const auto scaled = [&](Nanoseconds time) {
      const double ns = static_cast<double>(time.count()) * wanted / full;
      return share >= 1 ? time
                        : Nanoseconds(duration_cast<milliseconds>(Nanoseconds(std::llround(ns))));
    };
    experiment.warmup = scaled(experiment.warmup);
    experiment.duration = std::max(scaled(experiment.duration), Nanoseconds(milliseconds(1)));
  }
  return experiments;
}

// The longest durations, not below `least`, that fit; nothing if even those do not.
std::optional<std::vector<Experiment>> longest_that_fit(const std::vector<Experiment>& experiments,
                                                        const ExperimentCost& cost,
                                                        Nanoseconds target, Nanoseconds least) {
  if (total(experiments, cost) <= target) return experiments;
  if (total(with_durations(experiments, 0, least), cost) > target) return {};
  double low = 0;
  double high = 1;
  for (int step = 0; step < 12; ++step) {
    const double middle = (low + high) / 2;
    const bool fits = total(with_durations(experiments, middle, least), cost) <= target;
    (fits ? low : high) = middle;
  }
  return with_durations(experiments, low, least);
}

std::vector<Experiment> with_repetitions(std::vector<Experiment> experiments, unsigned most) {
  for (Experiment& experiment : experiments) {
    experiment.repetitions = std::min(experiment.repetitions, most);
  }
  return experiments;
}

// First shorter measurements, then fewer repetitions, then the shortest measurements.
std::optional<std::vector<Experiment>> fit_amounts(const std::vector<Experiment>& experiments,
                                                   const ExperimentCost& cost,
                                                   const Profile& profile,
                                                   const FixedAmounts& fixed) {
  unsigned most = 1;
  for (const Experiment& experiment : experiments) most = std::max(most, experiment.repetitions);
  const unsigned least = fixed.repetitions ? most : std::min(most, profile.least_repetitions);
  const auto floor = [&](Nanoseconds time) {
    return fixed.duration ? *fixed.duration : time;  // equal to every duration: nothing shrinks
  };
  for (unsigned repetitions = most; repetitions >= least; --repetitions) {
    const auto fewer = with_repetitions(experiments, repetitions);
    const Nanoseconds shortest = repetitions == least ? profile.shortest : profile.comfortable;
    if (auto fits = longest_that_fit(fewer, cost, profile.target, floor(shortest))) return fits;
  }
  return {};
}

std::string describe_reduction(const Experiment& asked, const Experiment& given,
                               const Profile& profile) {
  std::vector<std::string> parts;
  if (given.duration != asked.duration) {
    parts.push_back(fmt::format("trials measure {} instead of {}", to_string(given.duration),
                                to_string(asked.duration)));
  }
  if (given.repetitions != asked.repetitions) {
    parts.push_back(
        fmt::format("repetitions are {} instead of {}", given.repetitions, asked.repetitions));
  }
  if (given.sweep != asked.sweep) {
    parts.push_back(fmt::format("the sweep is {} instead of {}", format_sweeps(given.sweep),
                                format_sweeps(asked.sweep)));
  }
  if (parts.empty()) return "";
  return fmt::format("Experiment {} is cut to the time of profile {}: {}.", asked.name,
                     profile.name, fmt::join(parts, ", "));
}

}  // namespace

Result<> check_repetitions(const std::vector<Experiment>& experiments, const Profile& profile,
                           const FixedAmounts& fixed) {
  for (const Experiment& experiment : experiments) {
    const unsigned given = fixed.repetitions.value_or(experiment.repetitions);
    if (given >= profile.required_repetitions) continue;
    return usage_error(
        "{}: {} trials of each cell are too few for verdicts, and profile {} takes {} or more; ask "
        "for {}, or choose --profile quick",
        fixed.repetitions ? "--repetitions" : "experiment " + experiment.name, given, profile.name,
        profile.required_repetitions, profile.required_repetitions);
  }
  return {};
}

ExperimentCost experiment_cost(const std::vector<Model>& models, const CellLimits& limits,
                               Counting counting) {
  return [&models, limits, counting](const Experiment& experiment) {
    const auto cells = make_cells(models, {experiment}, limits);
    Nanoseconds sum{};
    for (const Cell& cell : cells) {
      if (!cell.skipped) sum += cell_cost(models[cell.model], experiment, cell);
    }
    for (const std::size_t cell : twin_cells(cells, {experiment}, models)) {
      sum += cell_cost(models[cells[cell].model], experiment, cells[cell]);
    }
    sum *= experiment.repetitions;
    for (const std::size_t cell : counted_cells(cells, counting)) {
      sum += counting_cost(models[cells[cell].model], experiment, cells[cell]);
    }
    return sum;
  };
}

Fitted fit(const std::vector<Experiment>& experiments, const ExperimentCost& cost,
           const Profile& profile, const FixedAmounts& fixed) {
  std::vector<Experiment> wanted;
  for (Experiment experiment : experiments) {
    if (fixed.duration) {
      experiment.duration = *fixed.duration;
      experiment.warmup = std::min(experiment.warmup, experiment.duration);
    } else if (experiment.duration > profile.longest) {
      experiment = with_durations({experiment}, 0, profile.longest).front();
    }
    experiment.repetitions =
        fixed.repetitions.value_or(std::min(experiment.repetitions, profile.most_repetitions));
    wanted.push_back(std::move(experiment));
  }
  std::vector<Experiment> given = wanted;
  if (profile.limit) {
    std::optional<std::vector<Experiment>> fits;
    // Fewer points per sweep first; then whole experiments go, the last ones first. One experiment
    // at its two ends is the least there is, and runs even if it is too long.
    std::size_t keep = std::max<std::size_t>(longest_sweep(wanted), 2);
    std::vector<Experiment> left = wanted;
    while (!(fits = fit_amounts(left, cost, profile, fixed))) {
      if (keep > 2) {
        --keep;
        for (std::size_t i = 0; i < left.size(); ++i) left[i] = thinned(wanted[i], keep);
      } else if (left.size() > 1) {
        left.pop_back();
      } else {
        fits = with_repetitions(left, fixed.repetitions.value_or(profile.least_repetitions));
        // The shortest windows save nothing where launching the load takes far longer.
        const bool launched = left.front().launching > profile.comfortable;
        const Nanoseconds least = launched ? profile.comfortable : profile.shortest;
        if (!fixed.duration) fits = with_durations(*fits, 0, least);
        break;
      }
    }
    given = *fits;
  }
  Fitted fitted{.experiments = given, .estimate = total(given, cost)};
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    if (i >= given.size()) {
      fitted.notes.push_back(
          fmt::format("Experiment {} is left out: it does not fit into the time "
                      "of profile {}; run it with --experiments {}.",
                      experiments[i].name, profile.name, experiments[i].name));
      fitted.left_out.push_back(experiments[i].name);
      continue;
    }
    Experiment asked = experiments[i];
    if (fixed.duration) asked.duration = *fixed.duration;
    if (fixed.repetitions) asked.repetitions = *fixed.repetitions;
    if (auto note = describe_reduction(asked, given[i], profile); !note.empty()) {
      fitted.notes.push_back(std::move(note));
      fitted.shortened.push_back(asked.name);
    }
  }
  if (profile.limit && fitted.estimate > *profile.limit) {
    const std::string limit = to_string(*profile.limit);
    const std::string promise = profile.limit_is_asked_for
                                    ? fmt::format("The run ends after {} (--budget)", limit)
                                    : fmt::format("Profile {} promises {}", profile.name, limit);
    const bool as_asked = fixed.duration || fixed.repetitions;
    fitted.notes.push_back(
        fmt::format("{}, and {} about {}.", promise,
                    as_asked ? "the durations and repetitions of the command line need"
                             : "these models (--models) in one experiment take, at the least,",
                    format_duration(fitted.estimate)));
  }
  return fitted;
}

}  // namespace muxbench
