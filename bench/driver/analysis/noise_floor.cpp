#include "analysis/noise_floor.h"

#include <algorithm>
#include <vector>

namespace muxbench {
namespace {

struct Side {
  std::size_t good_trials = 0;
  std::map<std::string, std::vector<double>> values;  // by metric

  // Nothing of a metric that a trial lacks: it is the slow one that has no percentile.
  std::vector<double> all_of(const std::string& metric) const {
    const auto found = values.find(metric);
    const bool all = found != values.end() && found->second.size() == good_trials;
    return all ? found->second : std::vector<double>{};
  }
};

std::map<std::string, Side> sides_of(const std::vector<report::Trial>& trials) {
  std::map<std::string, Side> sides;  // by cell
  for (const report::Trial& trial : trials) {
    if (!trial.ok) continue;
    Side& side = sides[trial.cell];
    ++side.good_trials;
    for (const auto& [metric, value] : comparable_values(trial.values)) {
      if (value > 0) side.values[metric].push_back(value);
    }
  }
  return sides;
}

// Without the names of what was measured.
std::optional<TwinRatio> paired_twin(const PairedSlices& slices, const report::Cell& cell,
                                     const std::string& metric) {
  const auto found = slices.twin_ratio(cell.id, metric);
  if (!found) return {};
  return TwinRatio{.trials = found->blocks, .paired = true, .ratio = to_ratio(found->log)};
}

std::optional<TwinRatio> unpaired_twin(const Side& once, const Side& again,
                                       const std::string& metric) {
  auto first = once.all_of(metric);
  auto second = again.all_of(metric);
  const std::size_t trials = std::min(first.size(), second.size());
  if (trials < 2) return {};
  first.resize(trials);
  second.resize(trials);
  return TwinRatio{.trials = trials, .ratio = ratio_of(first, second)};
}

}  // namespace

std::vector<TwinRatio> twin_ratios(const report::Report& report, const PairedSlices& slices,
                                   Flagged flagged) {
  if (report.twin_trials.empty()) return {};
  const auto once = sides_of(report.trials);
  const auto again = sides_of(report.twin_trials);
  std::vector<TwinRatio> twins;
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      if (!once.contains(cell.id) || !again.contains(cell.id)) continue;
      for (const Metric& metric : metrics()) {
        // That a server kept a given rate twice says nothing of how throughput varies here.
        if (!metric.compared || (metric.unit == Unit::per_second && experiment.open_loop)) continue;
        const std::string key(metric.key);
        if (flagged == Flagged::left_out && forbidding_flag(cell.flags, key) != nullptr) continue;
        auto twin = cell.sliced() && told_by_slices(key)
                        ? paired_twin(slices, cell, key)
                        : unpaired_twin(once.at(cell.id), again.at(cell.id), key);
        if (!twin) continue;
        twin->cell = cell.id;
        twin->experiment = experiment.name;
        twin->metric = key;
        twins.push_back(std::move(*twin));
      }
    }
  }
  return twins;
}

std::vector<report::NoiseFloorEntry> noise_floor_entries(const std::vector<TwinRatio>& twins) {
  std::vector<report::NoiseFloorEntry> entries;
  for (const TwinRatio& twin : twins) {
    if (metric_of(twin.metric).unit != Unit::per_second) continue;
    entries.push_back({.cell = twin.cell,
                       .metric = twin.metric,
                       .trials = twin.trials,
                       .ratio = twin.ratio.ratio,
                       .low = twin.ratio.low,
                       .high = twin.ratio.high});
  }
  return entries;
}

NoiseFloor::NoiseFloor(const std::vector<TwinRatio>& twins) {
  for (const TwinRatio& twin : twins) {
    double& apart = apart_[twin.experiment][twin.metric];
    apart = std::max({apart, twin.ratio.ratio, 1 / twin.ratio.ratio});
  }
}

double NoiseFloor::of(const std::string& experiment, const std::string& metric) const {
  const auto metrics = apart_.find(experiment);
  if (metrics == apart_.end()) return 1;
  const auto apart = metrics->second.find(metric);
  return apart == metrics->second.end() ? 1 : apart->second;
}

bool NoiseFloor::holds(const std::string& experiment, const std::string& metric,
                       double ratio) const {
  return std::max(ratio, 1 / ratio) <= of(experiment, metric);
}

}  // namespace muxbench
