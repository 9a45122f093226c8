#include "analysis/paired_slices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "report/statistics.h"

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

// The mean of each block.
SliceLogs logs_of(const std::vector<const report::Trial*>& rounds, const SlicedMetric& metric) {
  std::map<SliceKey, std::vector<double>> blocks;
  for (const report::Trial* round : rounds) {
    const Slices& slices = *round->slices;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (metric.undisturbed_only && slices.disturbed[i] != 0) continue;
      const double value = metric.value(slices, i);
      if (value > 0) blocks[{round->repetition, slices.block[i]}].push_back(std::log(value));
    }
  }
  SliceLogs logs;
  for (auto& [at, values] : blocks) logs.push_back({at, statistics_of(std::move(values)).mean});
  return logs;
}

std::optional<PairedRatio> enough_blocks(std::optional<PairedRatio> ratio,
                                         std::string_view metric) {
  const SlicedMetric* sliced = find_sliced(metric);
  const bool few = ratio && sliced != nullptr && sliced->undisturbed_only &&
                   ratio->blocks < report::kFewestUndisturbed;
  return few ? std::nullopt : ratio;
}

using RoundsByCell = std::map<std::string, std::vector<const report::Trial*>>;

RoundsByCell rounds_by_cell(const std::vector<report::Trial>& trials) {
  RoundsByCell rounds;
  for (const report::Trial& trial : trials) {
    if (trial.ok && trial.slices) rounds[trial.cell].push_back(&trial);
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
      OfPoint& of_point = points_.emplace_back();
      std::size_t servers = 0;
      const auto add = [&](const report::Cell& cell, const RoundsByCell& by_cell) {
        const auto found = by_cell.find(cell.id);
        if (found == by_cell.end()) return;
        OfCell& added = cells_[cell.id];
        added.point = points_.size() - 1;
        added.servers.push_back(servers++);
        for (const SlicedMetric& metric : kSlicedMetrics) {
          const std::string key(metric.key);
          const bool withheld = cell.withheld.contains(key);
          of_point[key].logs.push_back(withheld ? SliceLogs() : logs_of(found->second, metric));
        }
      };
      for (const report::Cell& cell : experiment.cells) {
        if (cell.point != point || !rounds.contains(cell.id)) continue;
        add(cell, rounds);
        add(cell, twin_rounds);
      }
      for (auto& [metric, measured] : of_point) measured.fit = PointFit(measured.logs);
    }
  }
}

const PairedSlices::OfMetric* PairedSlices::find(const std::string& cell,
                                                 std::string_view metric) const {
  const auto found = cells_.find(cell);
  if (found == cells_.end()) return nullptr;
  const OfPoint& point = points_[found->second.point];
  const auto measured = point.find(metric);
  return measured == point.end() ? nullptr : &measured->second;
}

const PointFit* PairedSlices::fit(const std::string& cell, std::string_view metric) const {
  const OfMetric* measured = find(cell, metric);
  return measured == nullptr ? nullptr : &measured->fit;
}

const std::vector<std::size_t>& PairedSlices::servers(const std::string& cell) const {
  static const std::vector<std::size_t> none;
  const auto found = cells_.find(cell);
  return found == cells_.end() ? none : found->second.servers;
}

SliceLogs PairedSlices::logs(const std::string& cell, std::string_view metric) const {
  const OfMetric* measured = find(cell, metric);
  if (measured == nullptr) return {};
  std::map<SliceKey, std::vector<double>> blocks;
  for (const std::size_t server : servers(cell)) {
    for (const SliceLog& slice : measured->logs[server]) blocks[slice.at].push_back(slice.log);
  }
  SliceLogs logs;
  for (auto& [at, values] : blocks) logs.push_back({at, statistics_of(std::move(values)).mean});
  return logs;
}

std::optional<PairedRatio> PairedSlices::ratio(const std::string& base, const std::string& now,
                                               std::string_view metric) const {
  const PointFit* point = fit(base, metric);
  if (point == nullptr || point != fit(now, metric)) return {};
  return enough_blocks(point->ratio(servers(base), servers(now)), metric);
}

std::optional<PairedRatio> PairedSlices::twin_ratio(const std::string& cell,
                                                    std::string_view metric) const {
  const PointFit* point = fit(cell, metric);
  const auto& both = servers(cell);
  if (point == nullptr || both.size() < 2) return {};
  const std::span<const std::size_t> pair(both);
  return enough_blocks(point->ratio(pair.first(1), pair.last(1)), metric);
}

}  // namespace muxbench
