// Models, experiments and records that the driver's tests share.
#pragma once

#include <string>
#include <vector>

#include "analysis/cell_ratio.h"
#include "analysis/findings.h"
#include "analysis/measured_report.h"
#include "base/format.h"
#include "report/read_report.h"
#include "report/write_report.h"
#include "run/make_report.h"
#include "run/record.h"

namespace muxbench::fixtures {

inline std::vector<double> times(std::vector<double> values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

inline Model model(const std::string& name) {
  Model model;
  model.name = name;
  model.family = "readiness";
  model.mechanism = "a fake";
  model.available = true;
  model.command = {"/nowhere/server_" + name};
  model.description = {{"name", name},
                       {"family", model.family},
                       {"mechanism", model.mechanism},
                       {"available", true},
                       {"capabilities", Json::object()}};
  return model;
}

inline Experiment experiment(const std::string& name, std::vector<Sweep> sweep) {
  Experiment experiment;
  experiment.name = name;
  experiment.question = "Does it work?";
  experiment.protocol = "echo";
  experiment.transport = "tcp";
  experiment.sweep = std::move(sweep);
  experiment.warmup = std::chrono::milliseconds(300);
  experiment.duration = std::chrono::seconds(1);
  experiment.repetitions = 5;
  experiment.method = Method::trials;
  return experiment;
}

// A trial as the load generator and the server's accounting would have left it.
inline TrialResult trial(std::size_t cell, unsigned repetition, double rate, double p99 = 1e6) {
  TrialResult trial;
  trial.cell = cell;
  trial.repetition = repetition;
  trial.server_command = {"/nowhere/server"};
  trial.cpu = CpuSample{std::chrono::milliseconds(900), {}, "a test"};
  trial.memory = MemorySample{3 << 20, "a test"};
  const auto requests = static_cast<std::uint64_t>(rate);
  trial.load = *read_load_result(
      {{"status", "ok"},
       {"asked",
        {{"target", "127.0.0.1:1"},
         {"protocol", "echo"},
         {"mode", "closed"},
         {"connections", 8},
         {"idle", 0},
         {"threads", 1},
         {"message_bytes", 64},
         {"pipeline", 1},
         {"warmup_ns", 1},
         {"duration_ns", 1'000'000'000}}},
       {"achieved",
        {{"requests_per_second", rate},
         {"connections", 8},
         {"idle", 0},
         {"duration_ns", 1'000'000'000}}},
       {"requests", requests},
       {"requests_in_run", requests + 10},
       {"bytes", {{"sent", requests}, {"received", requests}}},
       {"errors", {{"total", 0}, {"by_kind", Json::object()}}},
       {"latency_ns",
        {{"count", requests},
         {"mean", static_cast<std::uint64_t>(8e9 / rate)},
         {"p50", 40000},
         {"p99", static_cast<std::uint64_t>(p99)}}},
       {"cpu",
        {{"user_ns", 1}, {"system_ns", 1}, {"threads", {{{"cpu", 1}, {"utilisation", 0.5}}}}}}});
  return trial;
}

// What the load generator of a trial printed, to change: edit(trial)["requests"] = 7;
class LoadEditor {
 public:
  explicit LoadEditor(TrialResult& trial) : trial_(trial), document_(trial.load.document) {}
  LoadEditor(const LoadEditor&) = delete;
  LoadEditor& operator=(const LoadEditor&) = delete;
  ~LoadEditor() { trial_.load = *read_load_result(std::move(document_)); }
  Json& operator[](const char* key) { return document_[key]; }

 private:
  TrialResult& trial_;
  Json document_;
};
inline LoadEditor edit(TrialResult& trial) { return LoadEditor(trial); }

// Two models a and b over one point, three trials each at the given rates.
inline RunRecord record(const std::vector<double>& a, const std::vector<double>& b) {
  RunRecord record;
  record.profile = "quick";
  record.seed = 1;
  record.command_line = {"muxbench", "run"};
  record.host = host_section(Json::object());
  record.context = envelope_context("muxbench", rfc3339(record.started), {});
  record.cpus = {.server = {0}, .load = {1}};
  record.models = {model("a"), model("b")};
  record.experiments = {experiment("load", {{"connections", {8}}})};
  record.cells = make_cells(record.models, record.experiments, {.descriptors = 1000});
  for (std::size_t i = 0; i < a.size(); ++i) {
    record.trials.push_back(trial(0, static_cast<unsigned>(i), a[i]));
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    record.trials.push_back(trial(1, static_cast<unsigned>(i), b[i]));
  }
  record.planned_trials = record.trials.size();
  return record;
}

inline std::vector<report::Cell> cells_of(const RunRecord& record) {
  std::vector<report::Cell> cells;
  for (const report::Experiment& experiment : make_report(record).experiments) {
    cells.insert(cells.end(), experiment.cells.begin(), experiment.cells.end());
  }
  return cells;
}

// As in the file of a run that ended.
inline Json report_json(const RunRecord& record) {
  report::Report report = make_report(record);
  add_relative(report);
  report.conclusions = conclude(report);
  return to_json(report);
}

inline Result<MeasuredReport> measured(const Json& json, const std::string& file) {
  const auto report = read_report(json, file);
  if (!report) return report.error();
  return measured_report(*report);
}

// The findings of a report that was changed.
inline std::string findings_text(const Json& json) {
  const auto report = read_report(json, "test.json");
  if (!report) return report.error().message;
  std::string text;
  const report::Conclusions conclusions = conclude(*report);
  for (const report::Finding& finding : conclusions.findings) {
    text += finding.kind + ": " + finding.text + "\n";
  }
  return text;
}

}  // namespace muxbench::fixtures
