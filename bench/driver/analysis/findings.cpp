#include "analysis/findings.h"

#include <algorithm>

#include "analysis/findings_parts.h"
#include "analysis/inference.h"

namespace muxbench {

void Conclusions::say(const std::string& kind, const std::string& experiment,
                      const std::string& metric, const std::string& text) {
  Json finding{{"kind", kind}};
  if (!experiment.empty()) finding["experiment"] = experiment;
  if (!metric.empty()) finding["metric"] = metric;
  finding["text"] = text;
  findings.push_back(std::move(finding));
}

bool can_rank(const CellView* cell, const std::string& metric) {
  if (cell == nullptr || !cell->measured() || !cell->flags.empty()) return false;
  const Statistics* statistics = cell->metric(metric);
  const auto trials = cell->trials.find(metric);
  return statistics != nullptr && trials != cell->trials.end() &&
         trials->second.size() >= kFewestTrials;
}

Result<> add_findings(Json& report, const std::string& name) {
  const auto view = view_report(report, name);
  if (!view) return view.error();
  Conclusions conclusions;
  if (report.at("muxbench").value("status", "") == "interrupted") {
    conclusions.say("note", "", "", "The run was interrupted: this is what had finished.");
  }
  for (const ExperimentView& experiment : view->experiments) {
    say_best(experiment, conclusions);
    say_crossovers(experiment, conclusions);
    say_slopes(experiment, conclusions);
    say_counts(experiment, conclusions);
    say_remarks(experiment, conclusions);
  }
  say_noise_floor(report, conclusions);
  for (const std::string& note : view->notes) conclusions.say("note", "", "", note);
  Json& section = report["muxbench"];
  section["findings"] = std::move(conclusions.findings);
  section["fits"] = std::move(conclusions.fits);
  section["crossovers"] = std::move(conclusions.crossovers);
  return {};
}

}  // namespace muxbench
