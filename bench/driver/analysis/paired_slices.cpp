#include "analysis/paired_slices.h"

#include <algorithm>
#include <array>
#include <cmath>

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

const SliceLogs& find_logs(const std::map<std::string, SliceLogs, std::less<>>& logs,
                           std::string_view metric) {
  static const SliceLogs none;
  const auto found = logs.find(metric);
  return found == logs.end() ? none : found->second;
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
      instance_variances_.emplace_back();
      const std::size_t place = instance_variances_.size() - 1;
      for (const report::Cell& cell : experiment.cells) {
        if (cell.point != point || !rounds.contains(cell.id)) continue;
        std::vector<Rounds> servers{rounds.at(cell.id)};
        const auto twin = twin_rounds.find(cell.id);
        if (twin != twin_rounds.end()) servers.push_back(twin->second);
        add(place, cell, servers);
      }
      pool(experiment, point);
    }
  }
}

void PairedSlices::add(std::size_t point, const report::Cell& cell,
                       const std::vector<Rounds>& servers) {
  OfCell& added = cells_[cell.id];
  added.point = point;
  added.servers.resize(servers.size());
  Rounds all;
  for (const Rounds& rounds : servers) all.insert(all.end(), rounds.begin(), rounds.end());
  for (const SlicedMetric& metric : kSlicedMetrics) {
    const std::string key(metric.key);
    if (cell.withheld.contains(key)) continue;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      added.servers[i][key] = logs_of(servers[i], metric);
    }
    added.logs[key] = logs_of(all, metric);
  }
}

void PairedSlices::pool(const report::Experiment& experiment, const Point& point) {
  for (const SlicedMetric& metric : kSlicedMetrics) {
    std::vector<const SliceLogs*> servers;
    for (const report::Cell& cell : experiment.cells) {
      if (cell.point != point || !cells_.contains(cell.id)) continue;
      for (const Logs& logs : cells_.at(cell.id).servers) {
        servers.push_back(&find_logs(logs, metric.key));
      }
    }
    std::erase_if(servers, [](const SliceLogs* one) { return one->empty(); });
    // That of a pair is twice that of one.
    instance_variances_.back()[std::string(metric.key)] = muxbench::instance_variance(servers) / 2;
  }
}

const PairedSlices::OfCell* PairedSlices::find(const std::string& cell) const {
  const auto found = cells_.find(cell);
  return found == cells_.end() ? nullptr : &found->second;
}

const SliceLogs& PairedSlices::logs(const std::string& cell, std::string_view metric) const {
  static const Logs none;
  const OfCell* found = find(cell);
  return find_logs(found == nullptr ? none : found->logs, metric);
}

std::optional<PairedRatio> PairedSlices::ratio(const std::string& base, const std::string& now,
                                               std::string_view metric) const {
  return enough_blocks(
      paired_ratio(logs(base, metric), logs(now, metric), instance_variance(base, now, metric)),
      metric);
}

std::optional<PairedRatio> PairedSlices::twin_ratio(const std::string& cell,
                                                    std::string_view metric) const {
  const OfCell* found = find(cell);
  if (found == nullptr || found->servers.size() < 2) return {};
  const Variances& variances = instance_variances_[found->point];
  const auto one = variances.find(metric);
  return enough_blocks(
      paired_ratio(find_logs(found->servers[0], metric), find_logs(found->servers[1], metric),
                   one == variances.end() ? 0 : 2 * one->second),
      metric);
}

double PairedSlices::instance_variance(const std::string& base, const std::string& now,
                                       std::string_view metric) const {
  double sum = 0;
  for (const std::string& cell : {base, now}) {
    const OfCell* found = find(cell);
    if (found == nullptr) return 0;
    const Variances& variances = instance_variances_[found->point];
    const auto one = variances.find(metric);
    if (one == variances.end()) return 0;
    sum += one->second / static_cast<double>(found->servers.size());
  }
  return sum;
}

}  // namespace muxbench
