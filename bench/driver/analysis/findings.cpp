#include "analysis/findings.h"

#include <cmath>

#include "analysis/cell_ratio.h"
#include "analysis/findings_parts.h"
#include "analysis/verdict.h"
#include "analysis/verdict_tables.h"

namespace muxbench {

void say(report::Conclusions& into, const std::string& kind, const std::string& experiment,
         std::string_view metric, const std::string& text) {
  into.findings.push_back(
      {.kind = kind, .experiment = experiment, .metric = std::string(metric), .text = text});
}

bool can_rank(const report::Cell* cell, std::string_view metric) {
  if (cell == nullptr || !cell->measured() || forbidding_flag(cell->flags, metric) != nullptr)
    return false;
  const auto trials = cell->values.find(std::string(metric));
  if (cell->metric(metric) == nullptr || trials == cell->values.end()) return false;
  return trials->second.size() >= kFindingRule.fewest_trials ||
         (cell->sliced() && told_by_slices(metric));
}

const std::vector<double>& trials_of(const report::Cell& cell, std::string_view metric) {
  return cell.values.at(std::string(metric));
}

Verdict verdict_between(const Basis& basis, const report::Cell& base, const report::Cell& now,
                        const Metric& metric, std::size_t comparisons) {
  const std::string key(metric.key);
  const double floor = basis.floor.of(now.experiment, key);
  if (!are_paired(base, now, key)) {
    return finding_verdict(trials_of(base, key), trials_of(now, key), metric.more_is_better,
                           comparisons, floor);
  }
  const auto paired = basis.slices.ratio(base.id, now.id, key);
  if (!paired) return Verdict::insufficient;
  return paired_finding_verdict(to_ratio(paired->log), paired->blocks, metric.more_is_better,
                                comparisons, floor);
}

double factor_between(const Basis& basis, const report::Cell& base, const report::Cell& now,
                      const Metric& metric) {
  const auto paired = basis.slices.ratio(base.id, now.id, metric.key);
  return paired ? std::exp(paired->log.mean)
                : now.metric(metric.key)->median / base.metric(metric.key)->median;
}

report::Conclusions conclude(const report::Report& report) {
  report::Conclusions conclusions;
  Basis basis{.slices = PairedSlices(report), .floor = {}};
  const auto twins = twin_ratios(report, basis.slices);
  basis.floor = NoiseFloor(twins);
  if (report.status == "interrupted") {
    say(conclusions, "note", "", "", "The run was interrupted: this is what had finished.");
  }
  for (const report::Experiment& experiment : report.experiments) {
    say_best(experiment, basis, conclusions);
    say_crossovers(experiment, basis, conclusions);
    say_slopes(experiment, conclusions);
    say_counts(experiment, conclusions);
    say_host_states(experiment, basis, conclusions);
    say_remarks(experiment, conclusions);
  }
  say_noise_floor(report, twins, conclusions);
  for (const std::string& note : report.run.notes) say(conclusions, "note", "", "", note);
  conclusions.noise_floor = noise_floor_entries(twins);
  conclusions.verdicts = verdict_tables(report);
  conclusions.answer = answer_of(report, basis, conclusions);
  return conclusions;
}

}  // namespace muxbench
