#include "analysis/report_view.h"

#include <algorithm>
#include <set>

#include "analysis/noise_floor.h"
#include "base/file.h"
#include "report/metric.h"
#include "report/report_check.h"

namespace muxbench {
namespace {

// Nothing for statistics of another shape, as a newer minor version may have.
std::optional<Statistics> statistics_in(const Json& json) {
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

CellView cell_in(const Json& json) {
  CellView cell{.id = json.at("id").get<std::string>(),
                .model = json.at("model").get<std::string>(),
                .status = json.at("status").get<std::string>(),
                .reason = json.value("reason", "")};
  for (const auto& [key, value] : json.at("point").items()) {
    cell.point.push_back({key, value.get<std::uint64_t>()});
  }
  for (const Json& flag : json.at("flags")) {
    cell.flags.push_back({flag.at("kind").get<std::string>(), flag.value("detail", "")});
  }
  for (const auto& [name, statistics] : json.at("summary").items()) {
    if (const auto known = statistics_in(statistics)) cell.summary.emplace(name, *known);
  }
  if (json.contains("counts")) cell.counts = &json.at("counts");
  return cell;
}

ExperimentView experiment_in(const Json& json) {
  ExperimentView experiment{.name = json.at("name").get<std::string>(),
                            .question = json.value("question", ""),
                            .metric = answering_metric(json)};
  experiment.open_loop = text_at(json, "/load/mode") == "open";
  for (const auto& [key, values] : json.at("sweep").items()) experiment.swept.push_back(key);
  if (experiment.swept.size() == 1) experiment.parameter = experiment.swept.front();
  return experiment;
}

void add_trials(const Json& trials, std::map<std::string, CellView*>& cells) {
  for (const Json& trial : trials) {
    if (trial.at("status") != "ok") continue;
    CellView& cell = *cells.at(trial.at("cell").get<std::string>());
    for (const auto& [metric, value] : compared_values(trial)) cell.trials[metric].push_back(value);
  }
}

}  // namespace

Result<ReportView> view_report(const Json& report, const std::string& file) {
  if (auto checked = check_report(report, file); !checked) return checked.error();
  const Json& section = report.at("muxbench");
  ReportView view{.json = &report};
  const NoiseFloor floor(twin_ratios(section));
  for (const Json& experiment : section.at("experiments")) {
    view.experiments.push_back(experiment_in(experiment));
    ExperimentView& added = view.experiments.back();
    for (const ComparedMetric& metric : compared_metrics()) {
      added.floors[metric.name] = floor.of(added.name, metric.name);
    }
  }
  for (const Json& json : section.at("cells")) {
    const auto name = json.at("experiment").get<std::string>();
    for (ExperimentView& experiment : view.experiments) {
      if (experiment.name == name) experiment.cells.push_back(cell_in(json));
    }
  }
  std::map<std::string, CellView*> cells;
  for (ExperimentView& experiment : view.experiments) {
    for (CellView& cell : experiment.cells) cells[cell.id] = &cell;
  }
  add_trials(section.at("trials"), cells);
  for (const Json& note : section.at("run").value("notes", Json::array())) {
    view.notes.push_back(note.get<std::string>());
  }
  return view;
}

const Statistics* CellView::metric(const std::string& name) const {
  const auto found = summary.find(name);
  return found == summary.end() ? nullptr : &found->second;
}

std::vector<Point> ExperimentView::points() const {
  std::vector<Point> points;
  for (const CellView& cell : cells) {
    if (std::find(points.begin(), points.end(), cell.point) == points.end()) {
      points.push_back(cell.point);
    }
  }
  return points;
}

const CellView* ExperimentView::at(const std::string& model, std::uint64_t value) const {
  const Coordinate wanted{parameter, value};
  for (const CellView& cell : cells) {
    const auto& point = cell.point;
    const bool here = std::find(point.begin(), point.end(), wanted) != point.end();
    if (cell.model == model && here) return &cell;
  }
  return nullptr;
}

std::vector<std::string> ExperimentView::models() const {
  std::vector<std::string> models;
  for (const CellView& cell : cells) {
    if (std::find(models.begin(), models.end(), cell.model) == models.end()) {
      models.push_back(cell.model);
    }
  }
  return models;
}

std::vector<std::uint64_t> ExperimentView::values() const {
  std::set<std::uint64_t> values;
  for (const CellView& cell : cells) {
    for (const Coordinate& coordinate : cell.point) {
      if (coordinate.key == parameter) values.insert(coordinate.value);
    }
  }
  return {values.begin(), values.end()};
}

Result<Json> load_report(const std::string& path) {
  auto text = read_file(path);
  if (!text) return text.error();
  auto report = parse_json(*text, path);
  if (!report) return report.error();
  if (auto checked = check_report(*report, path); !checked) return checked.error();
  return report;
}

std::string format_point(const ExperimentView& experiment, const Point& point) {
  std::string text;
  for (const auto& [key, value] : point) {
    const auto& swept = experiment.swept;
    if (std::find(swept.begin(), swept.end(), key) == swept.end()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  }
  return text;
}

std::string format_points(const ExperimentView& experiment, const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) {
    std::string one = format_point(experiment, point);
    const std::string& parameter = experiment.parameter;
    // The name of the only swept key is said once.
    if (!text.empty() && !parameter.empty()) one = one.substr(parameter.size() + 1);
    text += (text.empty() ? "" : experiment.parameter.empty() ? "; " : ", ") + one;
  }
  return text;
}

}  // namespace muxbench
