#include "run/report_json.h"

#include <cmath>

#include "analysis/noise_floor.h"
#include "report/histogram_json.h"
#include "run/report_envelope.h"
#include "system/build_info.h"
#include "system/counting/counts_json.h"
#include "system/host.h"

namespace muxbench {
namespace {

Json to_json(const Statistics& s) {
  return {{"n", s.n},           {"median", s.median}, {"mean", s.mean},
          {"stddev", s.stddev}, {"min", s.min},       {"max", s.max}};
}

Json to_json(const Point& point) {
  Json json = Json::object();
  for (const auto& [key, value] : point) json[key] = value;
  return json;
}

Json run_section(const RunRecord& record) {
  Json run{{"started", rfc3339(record.started)},
           {"finished", rfc3339(record.finished)},
           {"seed", record.seed},
           {"profile", record.profile},
           {"command_line", record.command_line},
           {"version", build_info().version}};
  if (!build_info().revision.empty()) {
    run["git"] = {{"revision", build_info().revision}, {"dirty", build_info().dirty}};
  }
  if (record.steal_time) run["steal_ns"] = record.steal_time->count();
  run["notes"] = record.notes;
  return run;
}

Json plan_section(const RunRecord& record) {
  Json plan{{"server_cpus", record.cpus.server},
            {"load_cpus", record.cpus.load},
            {"network", record.private_network ? "private" : "host"},
            {"trials", record.planned_trials},
            {"counting_trials", record.planned_counting_trials}};
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
  return {{"name", experiment.name},
          {"question", experiment.question},
          {"metric", experiment.metric},
          {"protocol", experiment.protocol},
          {"transport", experiment.transport},
          {"load", load},
          {"sweep", sweep},
          {"parameter", experiment.sweep.front().key},
          {"warmup_ns", experiment.warmup.count()},
          {"duration_ns", experiment.duration.count()},
          {"repetitions", experiment.repetitions}};
}

Json cell_json(const RunRecord& record, std::size_t index) {
  const Cell& cell = record.cells[index];
  const CellResult& result = record.results[index];
  Json json{{"id", cell.id},
            {"model", record.models[cell.model].name},
            {"experiment", record.experiments[cell.experiment].name},
            {"point", to_json(cell.point)},
            {"status", result.status}};
  if (!result.reason.empty()) json["reason"] = result.reason;
  json["flags"] = Json::array();
  for (const Flag& flag : result.flags) {
    json["flags"].push_back({{"kind", flag.kind}, {"detail", flag.detail}});
  }
  json["summary"] = Json::object();
  for (const auto& [name, statistics] : result.summary) {
    json["summary"][name] = to_json(statistics);
  }
  if (result.counts) {
    json["counts"] = to_json(result.counts->counts, record.backends.back().name);
    json["counts"]["requests"] = std::llround(result.counts->requests);
    if (result.counts->throughput_ratio) {
      json["counts"]["throughput_ratio"] = *result.counts->throughput_ratio;
    }
  }
  return json;
}

Json server_json(const TrialResult& trial) {
  Json server{{"command_line", trial.server_command}};
  if (trial.cpu) {
    Json& cpu = server["cpu"] = {{"total_ns", trial.cpu->total.count()}};
    if (trial.cpu->split) {
      cpu["user_ns"] = trial.cpu->split->user.count();
      cpu["system_ns"] = trial.cpu->split->system.count();
    }
    cpu["source"] = trial.cpu->source;
  }
  if (const auto per_request = trial.cpu_ns_per_request()) {
    server["cpu_ns_per_request"] = *per_request;
  }
  if (trial.memory) {
    Json& memory = server["memory"];
    memory = {{"peak_bytes", trial.memory->peak_bytes}, {"source", trial.memory->source}};
    if (const auto peak = trial.memory->resident_peak_bytes) {
      memory["resident_peak_bytes"] = *peak;
      memory["resident_peak_source"] = "VmHWM";
    }
  }
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) server[key] = *value;
  };
  put("process_bytes_per_connection", trial.process_bytes_per_connection);
  put("kernel_bytes_per_connection", trial.kernel_bytes_per_connection);
  if (trial.process_bytes_per_connection || trial.kernel_bytes_per_connection) {
    server["bytes_per_connection_source"] =
        "Pss_Anon and Pss_Shmem of the processes; Slab, KernelStack and PageTables of "
        "/proc/meminfo";
  }
  if (!trial.stop_error.empty()) server["stop_error"] = trial.stop_error;
  return server;
}

Json trial_json(const RunRecord& record, const TrialResult& trial) {
  Json json{{"cell", record.cells[trial.cell].id},
            {"repetition", trial.repetition},
            {"order", trial.order},
            {"started_ns", trial.started.count()},
            {"took_ns", trial.took.count()},
            {"status", trial.ok() ? "ok" : "failed"}};
  if (!trial.ok()) json["error"] = trial.error;
  json["server"] = server_json(trial);
  if (!trial.load_command.empty()) json["load_command_line"] = trial.load_command;
  if (trial.server_waited) json["server_waited_ns"] = trial.server_waited->count();
  if (trial.load_waited) json["load_waited_ns"] = trial.load_waited->count();
  if (trial.not_accepted > 0) json["not_accepted"] = trial.not_accepted;
  if (trial.counts) {
    json["counts"] = to_json(*trial.counts, record.backends.back().name);
  }
  if (trial.load.is_object()) {
    json["load"] = trial.load;
    coarsen_histograms(json["load"]);
  }
  return json;
}

template <typename Items, typename Function>
Json list(const Items& items, Function to_item) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(to_item(item));
  return json;
}

std::string dump(const Json& json) {
  // Whatever bytes a failing program printed, the file stays valid UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write_value(std::string& text, const Json& value) {
  const bool list_of_objects = value.is_array() && !value.empty() && value.front().is_object();
  if (!list_of_objects) {
    text += dump(value);
    return;
  }
  text += "[\n";
  for (std::size_t i = 0; i < value.size(); ++i) {
    text += dump(value[i]) + (i + 1 < value.size() ? ",\n" : "\n");
  }
  text += "]";
}

void write_object(std::string& text, const Json& object) {
  text += "{\n";
  bool first = true;
  for (const auto& [key, value] : object.items()) {
    text += (first ? "" : ",\n") + dump(key) + ": ";
    first = false;
    if (key == "muxbench") {
      write_object(text, value);
    } else {
      write_value(text, value);
    }
  }
  text += "\n}";
}

// Of throughput alone; readers take other metrics' ratios from twin_trials.
Json noise_floor(const Json& section) {
  Json cells = Json::array();
  for (const TwinRatio& twin : twin_ratios(section)) {
    if (twin.metric != "requests_per_second") continue;
    cells.push_back({{"cell", twin.cell},
                     {"metric", twin.metric},
                     {"trials", {twin.trials, twin.trials}},
                     {"ratio", twin.ratio.ratio},
                     {"low", twin.ratio.low},
                     {"high", twin.ratio.high}});
  }
  return cells;
}

}  // namespace

Json make_report(const RunRecord& record) {
  const auto as_json = [&](const TrialResult& trial) { return trial_json(record, trial); };
  Json cells = Json::array();
  for (std::size_t i = 0; i < record.cells.size(); ++i) cells.push_back(cell_json(record, i));
  Json ours{{"schema_version", kSchemaVersion},
            {"status", record.interrupted ? "interrupted" : "complete"},
            {"run", run_section(record)},
            {"host", host_section(record.sysctls_outside)},
            {"plan", plan_section(record)},
            {"counting", to_json(record.backends)},
            {"models", list(record.models, model_json)},
            {"experiments", list(record.experiments, experiment_json)},
            {"cells", std::move(cells)},
            {"trials", list(record.trials, as_json)},
            {"counting_trials", list(record.counting_trials, as_json)},
            {"twin_trials", list(record.twin_trials, as_json)}};
  ours["noise_floor"] = noise_floor(ours);
  return {{"context", envelope_context(record.command_line.front(), rfc3339(record.started),
                                       record.load_before)},
          {"benchmarks", envelope_benchmarks(record)},
          {"muxbench", std::move(ours)}};
}

std::string to_text(const Json& report) {
  std::string text;
  write_object(text, report);
  return text + "\n";
}

}  // namespace muxbench
