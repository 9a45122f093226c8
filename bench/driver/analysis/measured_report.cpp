#include "analysis/measured_report.h"

#include <array>
#include <set>

#include "report/report_check.h"

namespace muxbench {
namespace {

// Of the host: what a number depends on, and not what merely happened to be so at the time.
bool is_condition(const std::string& host_key) {
  static const std::set<std::string> others{"descriptor_limit", "limits"};
  return !others.contains(host_key);
}

// Whatever an experiment's numbers depend on.
constexpr std::array kExperimentConditions{"protocol", "transport", "load", "warmup_ns",
                                           "duration_ns"};

std::map<std::string, std::string> conditions_of(const report::Report& report) {
  std::map<std::string, std::string> conditions;
  for (const auto& [key, value] : report.host.json.items()) {
    if (key == "sysctls") {
      // Each by itself: a later version looks at more of them.
      for (const auto& [name, set] : value.items()) {
        conditions[fmt::format("host: sysctl {}", name)] = set.dump();
      }
    } else if (is_condition(key)) {
      conditions["host: " + key] = value.dump();
    }
  }
  for (const char* key : {"server_cpus", "load_cpus", "network"}) {
    conditions[std::string("plan: ") + key] = report.plan.json.at(key).dump();
  }
  const Json& plan = report.plan.json;
  conditions["plan: load from"] = plan.value("load_hosts", Json("this machine")).dump();
  conditions["plan: path"] = plan.value("path", Json("loopback")).dump();
  for (const report::Experiment& experiment : report.experiments) {
    for (const char* key : kExperimentConditions) {
      conditions[fmt::format("experiment {}: {}", experiment.name, key)] =
          experiment.json.at(key).dump();
    }
  }
  return conditions;
}

std::map<std::string, std::string> identities_of(const report::Report& report) {
  std::map<std::string, std::string> identities{{"muxbench revision", report.run.revision}};
  if (const auto sum = text_at(report.plan.json, "/loadgen_sha256")) {
    identities["load generator: sha256"] = *sum;
  }
  for (const report::Model& model : report.models) {
    for (const char* key : {"mechanism", "features", "sha256"}) {
      if (!model.json.contains(key)) continue;
      identities[fmt::format("server {}: {}", model.name, key)] = model.json.at(key).dump();
    }
  }
  return identities;
}

// Of "Pss_Anon and Pss_Shmem of 3 processes", or the "sum of Pss over 3 processes" of an older report.
std::string memory_definition_of(const report::Report& report) {
  for (const report::Trial& trial : report.trials) {
    const auto source = text_at(trial.json, "/server/memory/source");
    if (!source) continue;
    for (const char* name : {"Pss_Anon and Pss_Shmem", "Pss"}) {
      if (source->find(name) != std::string::npos) return name;
    }
    return *source;
  }
  return "";
}

MeasuredCell measured_cell(const report::Cell& cell) {
  return {.id = cell.id,
          .model = cell.model,
          .experiment = cell.experiment,
          .point = to_string(cell.point),
          .status = cell.status,
          .flags = cell.flags,
          .sliced = cell.sliced(),
          .withheld = cell.withheld,
          .values = {}};
}

// In the order of repetitions, whatever the order in which they ran.
Result<> add_trials(const report::Report& report, std::map<std::string, MeasuredCell>& cells) {
  std::map<std::pair<std::string, std::uint64_t>, const report::Trial*> trials;
  for (const report::Trial& trial : report.trials) {
    if (trial.ok) trials[{trial.cell, trial.repetition}] = &trial;
  }
  for (const auto& [key, trial] : trials) {
    MeasuredCell& cell = cells.at(key.first);
    ++cell.good_trials;
    for (const auto& [metric, value] : comparable_values(trial->values)) {
      if (!(value > 0)) {
        return not_as_documented(
            report.file,
            fmt::format("trial {} of the cell {} has {} for {}, where numbers are above 0",
                        key.second, Json(key.first).dump(), value, metric));
      }
      if (!cell.withheld.contains(metric)) cell.values[metric].push_back(value);
    }
  }
  for (auto& [id, cell] : cells) {
    std::erase_if(cell.values, [good = cell.good_trials](const auto& entry) {
      return entry.second.size() < good;
    });
  }
  return {};
}

}  // namespace

Result<MeasuredReport> measured_report(const report::Report& report) {
  MeasuredReport measured{.file = report.file,
                          .cells = {},
                          .metrics = {},
                          .conditions = conditions_of(report),
                          .identities = identities_of(report),
                          .memory_definition = memory_definition_of(report),
                          .slices = PairedSlices(report),
                          .noise_floor = {},
                          .status = report.status};
  measured.noise_floor = NoiseFloor(twin_ratios(report, measured.slices));
  std::map<std::string, MeasuredCell> cells;
  for (const report::Experiment& experiment : report.experiments) {
    measured.metrics[experiment.name] = experiment.metric;
    for (const report::Cell& cell : experiment.cells) cells.emplace(cell.id, measured_cell(cell));
  }
  if (auto added = add_trials(report, cells); !added) return added.error();
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      measured.cells.push_back(std::move(cells.at(cell.id)));
    }
  }
  return measured;
}

}  // namespace muxbench
