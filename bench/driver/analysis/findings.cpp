#include "analysis/findings.h"

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
  if (cell == nullptr || !cell->measured() || !cell->flags.empty()) return false;
  const auto trials = cell->values.find(std::string(metric));
  return cell->metric(metric) != nullptr && trials != cell->values.end() &&
         trials->second.size() >= kFindingRule.fewest_trials;
}

const std::vector<double>& trials_of(const report::Cell& cell, std::string_view metric) {
  return cell.values.at(std::string(metric));
}

report::Conclusions conclude(const report::Report& report) {
  report::Conclusions conclusions;
  const auto twins = twin_ratios(report);
  const NoiseFloor floor(twins);
  if (report.status == "interrupted") {
    say(conclusions, "note", "", "", "The run was interrupted: this is what had finished.");
  }
  for (const report::Experiment& experiment : report.experiments) {
    say_best(experiment, floor, conclusions);
    say_crossovers(experiment, floor, conclusions);
    say_slopes(experiment, conclusions);
    say_counts(experiment, conclusions);
    say_remarks(experiment, conclusions);
  }
  say_noise_floor(report, twins, conclusions);
  for (const std::string& note : report.run.notes) say(conclusions, "note", "", "", note);
  conclusions.noise_floor = noise_floor_entries(twins);
  conclusions.verdicts = verdict_tables(report);
  return conclusions;
}

}  // namespace muxbench
