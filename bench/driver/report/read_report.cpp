#include "report/read_report.h"

#include "base/file.h"
#include "report/point_json.h"
#include "report/report_check.h"

namespace muxbench {
namespace {

using namespace report;

// Nothing for statistics of another shape, as a newer minor version may have.
std::optional<Statistics> read_statistics(const Json& json) {
  for (const char* key : {"n", "median", "mean", "stddev", "min", "max"}) {
    if (!json.is_object() || !json.contains(key) || !json.at(key).is_number()) return {};
  }
  return Statistics{.n = json.at("n").get<std::size_t>(),
                    .median = json.at("median").get<double>(),
                    .mean = json.at("mean").get<double>(),
                    .stddev = json.at("stddev").get<double>(),
                    .min = json.at("min").get<double>(),
                    .max = json.at("max").get<double>()};
}

Counts read_counts(const Json& json) {
  Counts counts{.requests = number_at(json, "/requests").value_or(0), .json = json};
  const Json by_name = json.value("syscalls", Json::object());
  for (const auto& [name, call] : by_name.items()) {
    counts.calls += call.value("calls", 0.0);
  }
  counts.calls = number_at(json, "/total_calls").value_or(counts.calls);
  const auto voluntary = number_at(json, "/context_switches/voluntary");
  const auto involuntary = number_at(json, "/context_switches/involuntary");
  if (voluntary && involuntary) counts.context_switches = *voluntary + *involuntary;
  return counts;
}

// Nothing for one of another shape, as a newer minor version may have.
std::optional<Relative> read_relative(const Json& json) {
  for (const char* key : {"ratio", "low", "high", "n"}) {
    if (!json.is_object() || !json.contains(key) || !json.at(key).is_number()) return {};
  }
  return Relative{.ratio = json.at("ratio").get<double>(),
                  .low = json.at("low").get<double>(),
                  .high = json.at("high").get<double>(),
                  .n = json.at("n").get<std::size_t>()};
}

// How it was measured, and what follows from that; older reports have nothing of it.
void read_method(const Json& json, Cell& cell) {
  cell.method = json.value("method", kTrials);
  const Json none = Json::object();
  const Json& relative = json.contains("relative") ? json.at("relative") : none;
  for (const auto& [metric, value] : relative.items()) {
    if (const auto known = read_relative(value)) cell.relative.emplace(metric, *known);
  }
  const Json& withheld = json.contains("withheld") ? json.at("withheld") : none;
  for (const auto& [metric, why] : withheld.items()) {
    cell.withheld.emplace(metric, why.get<std::string>());
  }
  if (!json.contains("undisturbed")) return;
  const Json& undisturbed = json.at("undisturbed");
  cell.undisturbed = {.slices = undisturbed.at("slices").get<std::size_t>(),
                      .of = undisturbed.at("of").get<std::size_t>()};
}

Cell read_cell(const Json& json) {
  Cell cell{.id = json.at("id").get<std::string>(),
            .model = json.at("model").get<std::string>(),
            .experiment = json.at("experiment").get<std::string>(),
            .point = read_point(json.at("point")),
            .status = json.at("status").get<std::string>(),
            .reason = json.value("reason", "")};
  for (const Json& flag : json.at("flags")) {
    cell.flags.push_back({flag.at("kind").get<std::string>(), flag.value("detail", "")});
  }
  for (const auto& [name, statistics] : json.at("summary").items()) {
    if (const auto known = read_statistics(statistics)) cell.summary.emplace(name, *known);
  }
  read_method(json, cell);
  if (json.contains("counts")) cell.counts = read_counts(json.at("counts"));
  return cell;
}

// Its `metric`, or the usual one in a report that has none yet, or one that is not known here.
std::string answering_metric(const Json& json, std::string_view mode) {
  const auto named = text_at(json, "/metric");
  return named && find_compared_metric(*named) != nullptr ? *named : usual_metric(mode);
}

Experiment read_experiment(Json&& json) {
  const std::string mode = text_at(json, "/load/mode").value_or("");
  Experiment experiment{.name = json.at("name").get<std::string>(),
                        .question = json.value("question", ""),
                        .metric = answering_metric(json, mode),
                        .open_loop = mode == "open"};
  for (const auto& [key, values] : json.at("sweep").items()) experiment.swept.push_back(key);
  if (experiment.swept.size() == 1) experiment.parameter = experiment.swept.front();
  experiment.json = std::move(json);
  return experiment;
}

std::vector<Trial> read_trials(Json& section, const char* key) {
  std::vector<Trial> trials;
  if (!section.contains(key)) return trials;
  for (Json& json : section.at(key)) {
    Trial trial{.cell = json.at("cell").get<std::string>(),
                .repetition = json.at("repetition").get<std::uint64_t>(),
                .ok = json.at("status") == "ok"};
    if (trial.ok) trial.values = metric_values(json);
    trial.method = json.value("method", kTrials);
    if (json.contains("slices")) trial.slices = read_slices(json.at("slices"));
    trial.json = std::move(json);
    trials.push_back(std::move(trial));
  }
  return trials;
}

RunInfo read_run(Json json) {
  RunInfo run{.profile = text_at(json, "/profile"),
              .revision = text_at(json, "/git/revision").value_or("unknown")};
  if (json.contains("seed")) run.seed = json.at("seed").get<std::uint64_t>();
  for (const Json& note : json.value("notes", Json::array())) {
    run.notes.push_back(note.get<std::string>());
  }
  run.json = std::move(json);
  return run;
}

PlanInfo read_plan(Json json) {
  PlanInfo plan{.server_cpus = json.at("server_cpus").get<std::vector<int>>(),
                .load_cpus = json.at("load_cpus").get<std::vector<int>>(),
                .network = json.at("network").get<std::string>()};
  if (json.contains("trials")) plan.trials = json.at("trials").get<std::uint64_t>();
  plan.json = std::move(json);
  return plan;
}

HostInfo read_host(Json json) {
  HostInfo host{.cpu_model = text_at(json, "/cpu_model"),
                .kernel = json.at("kernel").get<std::string>()};
  host.json = std::move(json);
  return host;
}

// What readers of a report repeat; fits, crossovers and verdicts are for charts and the page.
std::optional<Conclusions> read_conclusions(const Json& section) {
  if (!section.contains("findings")) return {};
  Conclusions conclusions;
  for (const Json& finding : section.at("findings")) {
    conclusions.findings.push_back({.kind = finding.at("kind").get<std::string>(),
                                    .experiment = finding.value("experiment", ""),
                                    .metric = finding.value("metric", ""),
                                    .text = finding.at("text").get<std::string>()});
  }
  if (section.contains("answer")) conclusions.answer = read_answer(section.at("answer"));
  return conclusions;
}

}  // namespace

Result<Report> read_report(Json json, const std::string& file) {
  if (auto checked = check_report(json, file); !checked) return checked.error();
  Json& section = json.at("muxbench");
  Report report{.file = file,
                .status = section.at("status").get<std::string>(),
                .run = read_run(std::move(section.at("run"))),
                .plan = read_plan(std::move(section.at("plan"))),
                .host = read_host(std::move(section.at("host")))};
  for (Json& model : section.at("models")) {
    auto name = model.at("name").get<std::string>();
    report.models.push_back({std::move(name), std::move(model)});
  }
  std::map<std::string, std::size_t> places;
  for (Json& experiment : section.at("experiments")) {
    report.experiments.push_back(read_experiment(std::move(experiment)));
    places[report.experiments.back().name] = report.experiments.size() - 1;
  }
  for (const Json& json_cell : section.at("cells")) {
    Cell cell = read_cell(json_cell);
    report.experiments[places.at(cell.experiment)].cells.push_back(std::move(cell));
  }
  if (section.contains("twins")) {
    for (const Json& twin : section.at("twins")) report.twins.push_back(read_cell(twin));
  }
  report.trials = read_trials(section, "trials");
  report.twin_trials = read_trials(section, "twin_trials");
  report.conclusions = read_conclusions(section);
  add_values_to_cells(report);
  return report;
}

Result<Report> load_report(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  auto json = parse_json(*text, path);
  if (!json) return json.error();
  return read_report(std::move(*json), path);
}

}  // namespace muxbench
