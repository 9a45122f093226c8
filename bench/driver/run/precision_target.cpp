#include "run/precision_target.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "report/metric.h"
#include "report/statistics.h"
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

}  // namespace

Target compare_with_target(const RunRecord& record, double target_ci) {
  std::map<std::size_t, std::vector<double>> values;
  for (const TrialResult& trial : record.trials) {
    const auto value = target_metric(record, trial);
    if (trial.ok() && value && !record.given_up.contains(record.cells[trial.cell].model)) {
      values[trial.cell].push_back(*value);
    }
  }
  Target target{.missed = {}, .cells = values.size()};
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
