#include "run/make_report.h"

#include <map>

#include "base/format.h"
#include "net/interface_fields.h"
#include "run/summarize_cells.h"
#include "run/trial_json.h"
#include "system/counting/counts_json.h"

namespace muxbench {
namespace {

// Those of the plan, and one about the servers that could not be counted.
std::vector<std::string> notes_of(const RunRecord& record) {
  std::vector<std::string> notes = record.notes;
  const TrialResult* first = nullptr;
  std::size_t uncounted = 0;
  for (const TrialResult& trial : record.counting_trials) {
    if (!trial.uncountable) continue;
    if (uncounted++ == 0) first = &trial;
  }
  if (first != nullptr) {
    notes.push_back(fmt::format(
        "the system calls of {} not counted ({}{}): {}",
        uncounted == 1 ? "one cell were" : fmt::format("{} cells were", uncounted),
        record.cells[first->cell].id, uncounted == 1 ? "" : " is the first", first->error));
  }
  return notes;
}

Json run_section(const RunRecord& record) {
  Json run{{"started", rfc3339(record.started)},
           {"finished", rfc3339(record.finished)},
           {"seed", record.seed},
           {"profile", record.profile},
           {"command_line", record.command_line},
           {"version", record.build.version}};
  if (!record.build.revision.empty()) {
    run["git"] = {{"revision", record.build.revision}, {"dirty", record.build.dirty}};
  }
  if (record.steal_time) run["steal_ns"] = record.steal_time->count();
  run["notes"] = notes_of(record);
  return run;
}

Json plan_section(const RunRecord& record) {
  Json plan{{"server_cpus", record.cpus.server},
            {"load_cpus", record.cpus.load},
            {"network", network_of(record)},
            {"trials", record.planned_trials},
            {"counting_trials", record.planned_counting_trials}};
  if (record.load_hosts.any()) {
    plan["load_hosts"] = record.load_hosts.names;
    plan["load_host_facts"] = record.load_host_facts;
    plan["launching_ns"] = record.launching.count();
    Json& path = plan["path"] = {{"listen", record.load_hosts.listen}};
    if (record.listens) path["interface"] = to_fields(*record.listens);
  }
  if (!record.loadgen_sha256.empty()) plan["loadgen_sha256"] = record.loadgen_sha256;
  return plan;
}

Json model_json(const Model& model) {
  Json json = model.description;
  json["name"] = model.name;
  json["available"] = model.available;
  if (!model.available) json["reason"] = model.reason;
  return json;
}

Json experiment_json(const Experiment& experiment) {
  Json load{{"mode", experiment.mode}};
  for (const Setting& setting : kSettings) {
    if (setting.key != "message_bytes" && !is_told(setting, experiment.load)) continue;
    load[std::string(setting.key)] = experiment.load.*setting.member;
  }
  Json sweep = Json::object();
  for (const Sweep& entry : experiment.sweep) sweep[entry.key] = entry.values;
  Json json{{"name", experiment.name},
            {"question", experiment.question},
            {"metric", experiment.metric},
            {"protocol", experiment.protocol},
            {"transport", experiment.transport},
            {"load", load},
            {"sweep", sweep},
            {"warmup_ns", experiment.warmup.count()},
            {"duration_ns", experiment.duration.count()},
            {"repetitions", experiment.repetitions}};
  if (experiment.sweep.size() == 1) json["parameter"] = experiment.sweep.front().key;
  return json;
}

report::Experiment reported(const Experiment& experiment) {
  report::Experiment reported{.name = experiment.name,
                              .question = experiment.question,
                              .metric = experiment.metric,
                              .open_loop = experiment.mode == "open"};
  for (const Sweep& sweep : experiment.sweep) reported.swept.push_back(sweep.key);
  if (reported.swept.size() == 1) reported.parameter = reported.swept.front();
  reported.json = experiment_json(experiment);
  return reported;
}

std::vector<report::Trial> reported(const RunRecord& record,
                                    const std::vector<TrialResult>& trials) {
  std::vector<report::Trial> list;
  for (const TrialResult& trial : trials) {
    report::Trial reported{.cell = record.cells[trial.cell].id,
                           .repetition = trial.repetition,
                           .ok = trial.ok(),
                           .json = trial_json(record, trial)};
    if (reported.ok) reported.values = metric_values(reported.json);
    if (trial.sliced()) {
      reported.method = report::kSlices;
      reported.slices = reported_slices(trial);
    }
    list.push_back(std::move(reported));
  }
  return list;
}

}  // namespace

report::Report make_report(const RunRecord& record) {
  report::Report report{.file = "report.json",
                        .status = record.interrupted ? "interrupted" : "complete"};
  report.run = {.profile = record.profile,
                .seed = record.seed,
                .notes = notes_of(record),
                .json = run_section(record)};
  if (!record.build.revision.empty()) report.run.revision = record.build.revision;
  report.plan = {.trials = record.planned_trials,
                 .server_cpus = record.cpus.server,
                 .load_cpus = record.cpus.load,
                 .network = network_of(record),
                 .json = plan_section(record)};
  report.host.json = record.host;
  report.host.cpu_model = text_at(report.host.json, "/cpu_model");
  report.host.kernel = text_at(report.host.json, "/kernel").value_or("");
  report.counting = to_json(record.backends);
  report.context = record.context;
  for (const Model& model : record.models) report.models.push_back({model.name, model_json(model)});
  report.trials = reported(record, record.trials);
  report.counting_trials = reported(record, record.counting_trials);
  report.twin_trials = reported(record, record.twin_trials);
  for (const Experiment& experiment : record.experiments) {
    report.experiments.push_back(reported(experiment));
  }
  report.twins = summarize_twins(record, report.twin_trials);
  auto cells = summarize_cells(record, report.trials);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    report.experiments[record.cells[i].experiment].cells.push_back(std::move(cells[i]));
  }
  add_values_to_cells(report);
  return report;
}

}  // namespace muxbench
