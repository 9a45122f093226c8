#include "driver/compare/measured_report.h"

#include <set>

#include "driver/report_check.h"

namespace muxbench {
namespace {

Error broken(const std::string& file, const std::string& what) {
  return usage_error("{}: {}; it is no whole report of muxbench run", file, what);
}

// Of the host: what a number depends on, and not what merely happened to be so at the time.
bool is_condition(const std::string& host_key) {
  static const std::set<std::string> others{"descriptor_limit", "limits"};
  return !others.contains(host_key);
}

std::string join_point(const Json& point) {
  std::string text;
  for (const auto& [key, value] : point.items()) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : "/", key, value.dump());
  }
  return text;
}

void read_conditions(const Json& ours, MeasuredReport& report) {
  for (const auto& [key, value] : ours.at("host").items()) {
    if (is_condition(key)) report.conditions["host: " + key] = value.dump();
  }
  for (const char* key : {"server_cpus", "load_cpus", "network"}) {
    report.conditions[std::string("plan: ") + key] = ours.at("plan").at(key).dump();
  }
  for (const Json& experiment : ours.at("experiments")) {
    const auto name = experiment.at("name").get<std::string>();
    for (const char* key : {"protocol", "transport", "load", "warmup_ns", "duration_ns"}) {
      report.conditions[fmt::format("experiment {}: {}", name, key)] = experiment.at(key).dump();
    }
    report.metrics[name] = answering_metric(experiment);
  }
}

void read_identities(const Json& ours, MeasuredReport& report) {
  report.identities["muxbench revision"] = text_at(ours, "/run/git/revision").value_or("unknown");
  if (const auto sum = text_at(ours, "/plan/loadgen_sha256")) {
    report.identities["load generator: sha256"] = *sum;
  }
  for (const Json& model : ours.at("models")) {
    for (const char* key : {"mechanism", "features", "sha256"}) {
      if (!model.contains(key)) continue;
      const auto name = model.at("name").get<std::string>();
      report.identities[fmt::format("server {}: {}", name, key)] = model.at(key).dump();
    }
  }
}

Result<> read_trial(const Json& trial, const std::string& file,
                    std::map<std::string, MeasuredCell>& cells) {
  const auto id = trial.at("cell").get<std::string>();
  const auto cell = cells.find(id);
  if (cell == cells.end())
    return broken(file, fmt::format("a trial is of a cell {} that is not there", id));
  if (trial.at("status").get<std::string>() != "ok") return {};
  ++cell->second.good_trials;
  for (const ComparedMetric& metric : compared_metrics()) {
    const auto value = number_at(trial, metric.place);
    if (!value) continue;
    if (!(*value > 0)) {
      return broken(file, fmt::format("a trial of {} has {} for {}", id, *value, metric.name));
    }
    cell->second.values[metric.name].push_back(*value);
  }
  return {};
}

Result<MeasuredReport> understand(const Json& ours, const std::string& file) {
  MeasuredReport report{.file = file,
                        .cells = {},
                        .metrics = {},
                        .conditions = {},
                        .identities = {},
                        .status = ours.at("status").get<std::string>()};
  std::map<std::string, MeasuredCell> cells;
  std::vector<std::string> order;
  std::set<std::string> places;
  for (const Json& json : ours.at("cells")) {
    MeasuredCell cell{.model = json.at("model").get<std::string>(),
                      .experiment = json.at("experiment").get<std::string>(),
                      .point = join_point(json.at("point")),
                      .status = json.at("status").get<std::string>(),
                      .flags = {},
                      .values = {}};
    for (const Json& flag : json.at("flags"))
      cell.flags.push_back(flag.at("kind").get<std::string>());
    const auto id = json.at("id").get<std::string>();
    if (!places.insert(cell.model + "/" + cell.experiment + "/" + cell.point).second) {
      return broken(file, fmt::format("what the cell {} measures is there twice", id));
    }
    if (!cells.emplace(id, std::move(cell)).second) {
      return broken(file, fmt::format("the cell {} is there twice", id));
    }
    order.push_back(id);
  }
  std::map<std::pair<std::string, unsigned>, const Json*> trials;
  for (const Json& trial : ours.at("trials")) {
    const auto id = trial.at("cell").get<std::string>();
    const auto repetition = trial.at("repetition").get<unsigned>();
    if (!trials.emplace(std::pair(id, repetition), &trial).second) {
      return broken(file, fmt::format("trial {} of the cell {} is there twice", repetition, id));
    }
  }
  for (const auto& [key, trial] : trials) {
    if (auto read = read_trial(*trial, file, cells); !read) return read.error();
  }
  for (const std::string& id : order) {
    MeasuredCell& cell = cells.at(id);
    if (cell.status == "measured" && cell.good_trials == 0) {
      return broken(file, fmt::format("the cell {} is measured and has no trials", id));
    }
    std::erase_if(cell.values,
                  [&](const auto& entry) { return entry.second.size() < cell.good_trials; });
    report.cells.push_back(std::move(cell));
  }
  read_conditions(ours, report);
  read_identities(ours, report);
  return report;
}

}  // namespace

Result<MeasuredReport> understand_report(const Json& json, const std::string& file) {
  if (auto checked = check_schema_version(json, file); !checked) return checked.error();
  try {
    return understand(json.at("muxbench"), file);
  } catch (const Json::exception& error) {
    return broken(file, fmt::format("it lacks what a report has ({})", error.what()));
  }
}

Result<MeasuredReport> read_report(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return text.error();
  const auto json = parse_json(*text, file);
  if (!json) return json.error();
  return understand_report(*json, file);
}

}  // namespace muxbench
