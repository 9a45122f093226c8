#include "analysis/paired_slices.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace muxbench {
namespace {

using report::Slices;

double number(const std::optional<std::uint64_t>& value) {
  return static_cast<double>(value.value_or(0));
}

// How a slice tells a metric; 0: not at all.
struct SlicedMetric {
  std::string_view key;
  bool undisturbed_only;
  double (*value)(const Slices& slices, std::size_t i);
};

constexpr std::array kSlicedMetrics{
    SlicedMetric{"server_cpu_ns_per_request", false,
                 [](const Slices& slices, std::size_t i) {
                   const double requests = number(slices.requests_in_run[i]);
                   return requests > 0 ? number(slices.server_cpu_ns[i]) / requests : 0;
                 }},
    SlicedMetric{"requests_per_second", true,
                 [](const Slices& slices, std::size_t i) {
                   const double elapsed = number(slices.elapsed_ns[i]);
                   return elapsed > 0 ? number(slices.requests[i]) * 1e9 / elapsed : 0;
                 }},
    SlicedMetric{
        "latency_mean_ns", true,
        [](const Slices& slices, std::size_t i) { return number(slices.latency_mean_ns[i]); }},
    SlicedMetric{
        "latency_p50_ns", true,
        [](const Slices& slices, std::size_t i) { return number(slices.latency_p50_ns[i]); }},
    SlicedMetric{
        "latency_p99_ns", true,
        [](const Slices& slices, std::size_t i) { return number(slices.latency_p99_ns[i]); }},
};

const SlicedMetric* find_sliced(std::string_view metric) {
  const auto* found =
      std::find_if(kSlicedMetrics.begin(), kSlicedMetrics.end(),
                   [&](const SlicedMetric& sliced) { return sliced.key == metric; });
  return found == kSlicedMetrics.end() ? nullptr : found;
}

// `rounds` in the order of repetitions.
SliceLogs logs_of(const std::vector<const report::Trial*>& rounds, const SlicedMetric& metric) {
  SliceLogs logs;
  for (const report::Trial* round : rounds) {
    const Slices& slices = *round->slices;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (metric.undisturbed_only && slices.disturbed[i] != 0) continue;
      const double value = metric.value(slices, i);
      if (value > 0) {
        logs.push_back({{round->repetition, slices.block[i]}, std::log(value)});
      }
    }
  }
  return logs;
}

using RoundsByCell = std::map<std::string, std::vector<const report::Trial*>>;  // by cell

RoundsByCell rounds_by_cell(const std::vector<report::Trial>& trials) {
  RoundsByCell rounds;
  for (const report::Trial& trial : trials) {
    if (trial.ok && trial.slices) rounds[trial.cell].push_back(&trial);
  }
  for (auto& [cell, list] : rounds) {
    std::sort(list.begin(), list.end(), [](const report::Trial* a, const report::Trial* b) {
      return a->repetition < b->repetition;
    });
  }
  return rounds;
}

}  // namespace

const report::Cell* reference_at(const report::Experiment& experiment, const Point& point) {
  const report::Cell* reference = nullptr;
  for (const report::Cell& cell : experiment.cells) {
    if (cell.point != point || !cell.measured()) continue;
    if (reference == nullptr || cell.model == report::kReference) reference = &cell;
  }
  return reference;
}

bool told_by_slices(std::string_view metric) { return find_sliced(metric) != nullptr; }

PairedSlices::PairedSlices(const report::Report& report) {
  const RoundsByCell rounds = rounds_by_cell(report.trials);
  const RoundsByCell twin_rounds = rounds_by_cell(report.twin_trials);
  if (rounds.empty()) return;
  for (const report::Experiment& experiment : report.experiments) {
    for (const Point& point : experiment.points()) {
      instance_variances_.emplace_back();
      const std::size_t place = instance_variances_.size() - 1;
      for (const report::Cell& cell : experiment.cells) {
        if (cell.point != point || !rounds.contains(cell.id)) continue;
        add(cell.id, place, cell, rounds.at(cell.id));
        const auto twin = twin_rounds.find(cell.id);
        if (twin != twin_rounds.end()) add(report::twin_id(cell.id), place, cell, twin->second);
      }
      pool(experiment, point);
    }
  }
}

void PairedSlices::add(const std::string& id, std::size_t point, const report::Cell& cell,
                       const std::vector<const report::Trial*>& rounds) {
  OfCell& added = cells_[id];
  added.point = point;
  for (const SlicedMetric& metric : kSlicedMetrics) {
    const std::string key(metric.key);
    if (!cell.withheld.contains(key)) added.logs[key] = logs_of(rounds, metric);
  }
}

void PairedSlices::pool(const report::Experiment& experiment, const Point& point) {
  for (const SlicedMetric& metric : kSlicedMetrics) {
    std::vector<const SliceLogs*> cells;
    for (const report::Cell& cell : experiment.cells) {
      if (cell.point != point) continue;
      cells.push_back(&logs(cell.id, metric.key));
      cells.push_back(&logs(report::twin_id(cell.id), metric.key));
    }
    std::erase_if(cells, [](const SliceLogs* one) { return one->empty(); });
    instance_variances_.back()[std::string(metric.key)] = instance_variance(cells);
  }
}

const SliceLogs& PairedSlices::logs(const std::string& cell, std::string_view metric) const {
  static const SliceLogs none;
  const auto found = cells_.find(cell);
  if (found == cells_.end()) return none;
  const auto logs = found->second.logs.find(metric);
  return logs == found->second.logs.end() ? none : logs->second;
}

std::optional<PairedRatio> PairedSlices::ratio(const std::string& base, const std::string& now,
                                               std::string_view metric) const {
  const SlicedMetric* sliced = find_sliced(metric);
  if (sliced == nullptr) return {};
  const auto found =
      paired_ratio(logs(base, metric), logs(now, metric), instance_variance_at(now, metric));
  if (found && sliced->undisturbed_only && found->blocks < report::kFewestUndisturbed) return {};
  return found;
}

double PairedSlices::instance_variance_at(const std::string& cell, std::string_view metric) const {
  const auto found = cells_.find(cell);
  if (found == cells_.end()) return 0;
  const Variances& variances = instance_variances_[found->second.point];
  const auto variance = variances.find(metric);
  return variance == variances.end() ? 0 : variance->second;
}

}  // namespace muxbench
