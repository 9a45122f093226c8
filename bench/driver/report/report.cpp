#include "report/report.h"

#include <algorithm>
#include <set>

namespace muxbench::report {

const Statistics* Cell::metric(std::string_view key) const {
  const auto found = summary.find(std::string(key));
  return found == summary.end() ? nullptr : &found->second;
}

std::vector<Point> Experiment::points() const {
  std::vector<Point> points;
  for (const Cell& cell : cells) {
    if (std::find(points.begin(), points.end(), cell.point) == points.end()) {
      points.push_back(cell.point);
    }
  }
  return points;
}

const Cell* Experiment::at(const std::string& model, std::uint64_t value) const {
  const Coordinate wanted{parameter, value};
  for (const Cell& cell : cells) {
    const auto& point = cell.point;
    const bool here = std::find(point.begin(), point.end(), wanted) != point.end();
    if (cell.model == model && here) return &cell;
  }
  return nullptr;
}

std::vector<std::string> Experiment::models() const {
  std::vector<std::string> models;
  for (const Cell& cell : cells) {
    if (std::find(models.begin(), models.end(), cell.model) == models.end()) {
      models.push_back(cell.model);
    }
  }
  return models;
}

std::vector<std::uint64_t> Experiment::values() const {
  std::set<std::uint64_t> values;
  for (const Cell& cell : cells) {
    for (const Coordinate& coordinate : cell.point) {
      if (coordinate.key == parameter) values.insert(coordinate.value);
    }
  }
  return {values.begin(), values.end()};
}

std::string twin_id(const std::string& cell) {
  const std::size_t end = std::min(cell.find('/'), cell.size());
  return cell.substr(0, end) + " (again)" + cell.substr(end);
}

void add_values_to_cells(Report& report) {
  std::map<std::string, Cell*> cells;
  for (Experiment& experiment : report.experiments) {
    for (Cell& cell : experiment.cells) cells[cell.id] = &cell;
  }
  for (const Trial& trial : report.trials) {
    if (!trial.ok) continue;
    Cell& cell = *cells.at(trial.cell);
    for (const auto& [metric, value] : comparable_values(trial.values)) {
      if (!cell.withheld.contains(metric)) cell.values[metric].push_back(value);
    }
  }
}

std::string format_point(const Experiment& experiment, const Point& point) {
  std::string text;
  for (const auto& [key, value] : point) {
    const auto& swept = experiment.swept;
    if (std::find(swept.begin(), swept.end(), key) == swept.end()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  }
  return text;
}

std::string format_points(const Experiment& experiment, const std::vector<Point>& points) {
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

}  // namespace muxbench::report
