#include "run/precision_target.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "analysis/cell_ratio.h"
#include "report/metric.h"
#include "report/statistics.h"
#include "run/make_report.h"
#include "run/trial_json.h"

namespace muxbench {
namespace {

constexpr std::size_t kFewestForTarget = 5;

// Of the metric that answers the experiment: what muxbench compare looks at too.
std::optional<double> target_metric(const RunRecord& record, const TrialResult& trial) {
  const Experiment& experiment = record.experiments[record.cells[trial.cell].experiment];
  const auto values = metric_values(trial_json(record, trial));
  const auto found = values.find(experiment.metric);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

using Relative = std::optional<report::Relative>;

// Of the metric that answers the experiment, of each cell in slices that can still be measured.
std::map<std::size_t, Relative> sliced_cells(const RunRecord& record) {
  std::map<std::size_t, Relative> cells;
  report::Report report = make_report(record);
  add_relative(report);
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < record.cells.size(); ++i) places.emplace(record.cells[i].id, i);
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      const std::size_t place = places.at(cell.id);
      const bool ends = record.given_up.contains(record.cells[place].model);
      if (!cell.sliced() || !cell.measured() || ends || cell.model == report::kReference) continue;
      const auto relative = cell.relative.find(experiment.metric);
      cells[place] = relative == cell.relative.end() ? Relative() : relative->second;
    }
  }
  return cells;
}

double half_width(const report::Relative& relative) {
  return std::log(relative.high / relative.low) / 2;
}

}  // namespace

std::vector<std::size_t> undecided_cells(const RunRecord& record) {
  constexpr double kSame = 1.02;  // CompareSettings::margin
  std::vector<std::size_t> undecided;
  for (const auto& [cell, relative] : sliced_cells(record)) {
    const bool differs = relative && (relative->low > 1 || relative->high < 1);
    const bool same = relative && relative->low >= 1 / kSame && relative->high <= kSame;
    if (!differs && !same) undecided.push_back(cell);
  }
  return undecided;
}

Target compare_with_target(const RunRecord& record, double target_ci) {
  std::map<std::size_t, std::vector<double>> values;
  Target target;
  for (const auto& [cell, relative] : sliced_cells(record)) {
    ++target.cells;
    if (!relative || half_width(*relative) > target_ci) target.missed.push_back(cell);
  }
  for (const TrialResult& trial : record.trials) {
    if (record.cells[trial.cell].method == Method::slices) continue;
    const auto value = target_metric(record, trial);
    if (trial.ok() && value && !record.given_up.contains(record.cells[trial.cell].model)) {
      values[trial.cell].push_back(*value);
    }
  }
  target.cells += values.size();
  for (const auto& [cell, measured] : values) {
    const auto half = relative_half_width(measured);
    if (measured.size() < kFewestForTarget || !half || *half > target_ci) {
      target.missed.push_back(cell);
    }
  }
  return target;
}

std::string missed_target(const RunRecord& record, double target_ci) {
  const Target target = compare_with_target(record, target_ci);
  if (target.missed.empty()) return "";
  return fmt::format("{} of {} cells are known less well than --target-ci {:g} % asks for",
                     target.missed.size(), target.cells, target_ci * 100);
}

std::string note_on_cells_without_target(const RunRecord& record) {
  std::set<std::size_t> measured;
  std::set<std::size_t> with_target;
  for (const TrialResult& trial : record.trials) {
    if (!trial.ok()) continue;
    measured.insert(trial.cell);
    if (target_metric(record, trial)) with_target.insert(trial.cell);
  }
  const std::size_t without = measured.size() - with_target.size();
  if (without == 0) return "";
  return fmt::format(
      "{} of {} cells lack what answers their experiment, as a p99 is absent in a trial of too few "
      "requests, so --target-ci did not look at them; try a longer --duration.",
      without, measured.size());
}

}  // namespace muxbench
