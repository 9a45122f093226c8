#include "report/write_report.h"

#include <array>

#include "report/envelope.h"
#include "report/point_json.h"

namespace muxbench {
namespace {

using namespace report;

template <typename Items, typename Function>
Json list(const Items& items, Function to_item) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(to_item(item));
  return json;
}

Json statistics_json(const Statistics& s) {
  return {{"n", s.n},           {"median", s.median}, {"mean", s.mean},
          {"stddev", s.stddev}, {"min", s.min},       {"max", s.max}};
}

Json relative_json(const Relative& relative) {
  return {
      {"ratio", relative.ratio}, {"low", relative.low}, {"high", relative.high}, {"n", relative.n}};
}

// What only measured cells have.
void add_measured(const Cell& cell, Json& json) {
  json["method"] = cell.method;
  if (const auto& undisturbed = cell.undisturbed) {
    json["undisturbed"] = {{"slices", undisturbed->slices}, {"of", undisturbed->of}};
  }
  if (!cell.withheld.empty()) json["withheld"] = cell.withheld;
  for (const auto& [metric, relative] : cell.relative) {
    json["relative"][metric] = relative_json(relative);
  }
}

Json cell_json(const Cell& cell) {
  Json json{{"id", cell.id},
            {"model", cell.model},
            {"experiment", cell.experiment},
            {"point", point_json(cell.point)},
            {"status", cell.status}};
  if (!cell.reason.empty()) json["reason"] = cell.reason;
  json["flags"] = Json::array();
  for (const Flag& flag : cell.flags) {
    json["flags"].push_back({{"kind", flag.kind}, {"detail", flag.detail}});
  }
  json["summary"] = Json::object();
  for (const auto& [name, statistics] : cell.summary) {
    json["summary"][name] = statistics_json(statistics);
  }
  if (cell.measured()) add_measured(cell, json);
  if (cell.counts) json["counts"] = cell.counts->json;
  return json;
}

Json finding_json(const Finding& finding) {
  Json json{{"kind", finding.kind}};
  if (!finding.experiment.empty()) json["experiment"] = finding.experiment;
  if (!finding.metric.empty()) json["metric"] = finding.metric;
  json["text"] = finding.text;
  return json;
}

Json fit_json(const Fit& fit) {
  return {{"experiment", fit.experiment},
          {"model", fit.model},
          {"metric", fit.metric},
          {"parameter", fit.parameter},
          {"intercept", fit.intercept},
          {"slope", fit.slope},
          {"low", fit.low},
          {"high", fit.high},
          {"trials", fit.trials}};
}

Json crossover_json(const Crossover& crossover) {
  return {{"experiment", crossover.experiment}, {"model", crossover.model},
          {"against", crossover.against},       {"metric", crossover.metric},
          {"parameter", crossover.parameter},   {"value", crossover.value}};
}

Json noise_floor_json(const NoiseFloorEntry& entry) {
  return {
      {"cell", entry.cell},   {"metric", entry.metric}, {"trials", {entry.trials, entry.trials}},
      {"ratio", entry.ratio}, {"low", entry.low},       {"high", entry.high}};
}

Json verdicts_json(const VerdictTable& table) {
  return {{"experiment", table.experiment},
          {"point", point_json(table.point)},
          {"metric", table.metric},
          {"models", table.models},
          {"matrix", table.matrix}};
}

Json level_json(const HostLevel& level) {
  return {{"cpu_ns_per_request", level.cpu_ns_per_request}, {"blocks", level.blocks}};
}

Json at_level_json(const RelativeAtLevel& at_level) {
  Json json{{"model", at_level.model}, {"level", at_level.level}};
  json.update(relative_json(at_level.relative));
  return json;
}

Json host_states_json(const HostStates& states) {
  return {{"experiment", states.experiment},
          {"point", point_json(states.point)},
          {"reference", states.reference},
          {"blocks", states.blocks},
          {"levels", list(states.levels, level_json)},
          {"relative", list(states.relative, at_level_json)}};
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

}  // namespace

Json to_json(const Report& report) {
  Json cells = Json::array();
  for (const Experiment& experiment : report.experiments) {
    for (const Cell& cell : experiment.cells) cells.push_back(cell_json(cell));
  }
  const auto as_is = [](const auto& part) { return part.json; };
  Json section{{"schema_version", kSchemaVersion},
               {"status", report.status},
               {"run", report.run.json},
               {"host", report.host.json},
               {"plan", report.plan.json},
               {"counting", report.counting},
               {"metrics", metric_table()},
               {"models", list(report.models, as_is)},
               {"experiments", list(report.experiments, as_is)},
               {"cells", std::move(cells)},
               {"trials", list(report.trials, as_is)},
               {"counting_trials", list(report.counting_trials, as_is)},
               {"twin_trials", list(report.twin_trials, as_is)},
               {"twins", list(report.twins, cell_json)}};
  if (const auto& conclusions = report.conclusions) {
    section["noise_floor"] = list(conclusions->noise_floor, noise_floor_json);
    section["findings"] = list(conclusions->findings, finding_json);
    section["fits"] = list(conclusions->fits, fit_json);
    section["crossovers"] = list(conclusions->crossovers, crossover_json);
    section["verdicts"] = list(conclusions->verdicts, verdicts_json);
    section["host_states"] = list(conclusions->host_states, host_states_json);
    section["answer"] = answer_json(conclusions->answer);
  }
  return {{"context", report.context},
          {"benchmarks", envelope_benchmarks(report)},
          {"muxbench", std::move(section)}};
}

std::string to_text(const Json& report) {
  std::string text;
  write_object(text, report);
  return text + "\n";
}

}  // namespace muxbench
