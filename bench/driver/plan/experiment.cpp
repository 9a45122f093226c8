#include "plan/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace muxbench {

Experiment with_profile(Experiment experiment, const std::string& profile) {
  const auto found = experiment.profiles.find(profile);
  if (found == experiment.profiles.end()) return experiment;
  const ProfileChanges changes = found->second;
  return changed(std::move(experiment), changes);
}

Experiment changed(Experiment experiment, const ProfileChanges& changes) {
  experiment.sweep = changes.sweep.value_or(experiment.sweep);
  experiment.warmup = changes.warmup.value_or(experiment.warmup);
  experiment.duration = changes.duration.value_or(experiment.duration);
  experiment.repetitions = changes.repetitions.value_or(experiment.repetitions);
  return experiment;
}

bool Experiment::is_only_if_named(const std::string& profile) const {
  const auto found = profiles.find(profile);
  return found != profiles.end() && found->second.only_if_named;
}

bool sweeps(const Experiment& experiment, std::string_view key) {
  return std::any_of(experiment.sweep.begin(), experiment.sweep.end(),
                     [&](const Sweep& sweep) { return sweep.key == key; });
}

Experiment for_cpus(Experiment experiment, std::uint64_t cpus, std::string& note) {
  for (Sweep& sweep : experiment.sweep) {
    if (sweep.key != "workers") continue;
    std::set<SweepValue> kept;
    Sweep left_out{sweep.key, {}};
    for (SweepValue& value : sweep.values) {
      if (!value.is_number()) value = cpus;
      if (value.number() <= cpus) kept.insert(value);
      if (value.number() > cpus) left_out.values.push_back(value);
    }
    if (!kept.empty()) sweep.values.assign(kept.begin(), kept.end());
    note = fmt::format("Experiment {}: the server has {} CPU{}", experiment.name, cpus,
                       cpus == 1 ? "" : "s");
    if (!left_out.values.empty() && !kept.empty()) {
      note +=
          fmt::format(", so points of more workers are left out ({}; --server-cpus gives it more)",
                      format_values(left_out));
    }
    note += "; models that have one worker by their nature take no part.";
  }
  return experiment;
}

std::vector<Point> points_of(const Experiment& experiment) {
  std::vector<Point> points{{}};
  for (const Sweep& sweep : experiment.sweep) {
    std::vector<Point> longer;
    for (const Point& point : points) {
      for (const SweepValue& value : sweep.values) {
        longer.push_back(point);
        longer.back().push_back({sweep.key, value.number()});
      }
    }
    points = std::move(longer);
  }
  if (!sweeps(experiment, "connections")) {
    for (Point& point : points) point.push_back({"connections", experiment.load.connections});
  }
  return points;
}

std::string cell_id(const std::string& model, const Experiment& experiment, const Point& point) {
  return model + '/' + experiment.name + '/' + to_string(point);
}

Experiment thinned(Experiment experiment, std::size_t keep) {
  for (Sweep& sweep : experiment.sweep) {
    const std::size_t all = sweep.values.size();
    if (all <= keep) continue;
    std::vector<SweepValue> kept;
    for (std::size_t i = 0; i < keep; ++i) {
      kept.push_back(sweep.values[(i * (all - 1) + (keep - 1) / 2) / (keep - 1)]);
    }
    sweep.values = std::move(kept);
  }
  return experiment;
}

}  // namespace muxbench
