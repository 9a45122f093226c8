#include "analysis/measured_report.h"

#include <set>

#include "analysis/report_view.h"
#include "report/report_check.h"

namespace muxbench {
namespace {

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
    if (key == "sysctls") {
      // Each by itself: a later version looks at more of them.
      for (const auto& [name, set] : value.items()) {
        report.conditions[fmt::format("host: sysctl {}", name)] = set.dump();
      }
    } else if (is_condition(key)) {
      report.conditions["host: " + key] = value.dump();
    }
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

MeasuredCell cell_in(const Json& json) {
  MeasuredCell cell{.model = json.at("model").get<std::string>(),
                    .experiment = json.at("experiment").get<std::string>(),
                    .point = join_point(json.at("point")),
                    .status = json.at("status").get<std::string>(),
                    .flags = {},
                    .values = {}};
  for (const Json& flag : json.at("flags"))
    cell.flags.push_back(flag.at("kind").get<std::string>());
  return cell;
}

// Which metric of the trial cannot have been measured, if one is there.
std::optional<std::string> add_trial(const Json& trial, MeasuredCell& cell) {
  ++cell.good_trials;
  for (const auto& [metric, value] : compared_values(trial)) {
    if (!(value > 0)) return fmt::format("{} for {}", value, metric);
    cell.values[metric].push_back(value);
  }
  return {};
}

// In the order of repetitions, whatever the order in which they ran.
Result<> read_trials(const Json& ours, const std::string& file,
                     std::map<std::string, MeasuredCell>& cells) {
  std::map<std::pair<std::string, std::uint64_t>, const Json*> trials;
  for (const Json& trial : ours.at("trials")) {
    if (trial.at("status") != "ok") continue;
    trials[{trial.at("cell").get<std::string>(), trial.at("repetition").get<std::uint64_t>()}] =
        &trial;
  }
  for (const auto& [key, trial] : trials) {
    if (const auto wrong = add_trial(*trial, cells.at(key.first))) {
      return not_as_documented(
          file, fmt::format("trial {} of the cell {} has {}, where numbers are above 0", key.second,
                            Json(key.first).dump(), *wrong));
    }
  }
  for (auto& [id, cell] : cells) {
    std::erase_if(cell.values,
                  [&](const auto& entry) { return entry.second.size() < cell.good_trials; });
  }
  return {};
}

}  // namespace

Result<MeasuredReport> understand_report(const Json& json, const std::string& file) {
  if (auto checked = check_report(json, file); !checked) return checked.error();
  const Json& ours = json.at("muxbench");
  MeasuredReport report{.file = file,
                        .cells = {},
                        .metrics = {},
                        .conditions = {},
                        .identities = {},
                        .noise_floor = NoiseFloor(twin_ratios(ours)),
                        .status = ours.at("status").get<std::string>()};
  std::map<std::string, MeasuredCell> cells;
  for (const Json& cell : ours.at("cells")) {
    cells.emplace(cell.at("id").get<std::string>(), cell_in(cell));
  }
  if (auto read = read_trials(ours, file, cells); !read) return read.error();
  for (const Json& cell : ours.at("cells")) {
    report.cells.push_back(std::move(cells.at(cell.at("id").get<std::string>())));
  }
  read_conditions(ours, report);
  read_identities(ours, report);
  return report;
}

Result<MeasuredReport> read_report(const std::string& file) {
  const auto json = load_report(file);
  if (!json) return json.error();
  return understand_report(*json, file);
}

}  // namespace muxbench
