// What is said about a report (findings, tables, exports) is read from its JSON alone, so that an
// old report gives the same sentences as the run that wrote it. See docs/report-format.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "json/json_reader.h"
#include "report/flag.h"
#include "report/point.h"
#include "report/statistics.h"

namespace muxbench {

struct CellView {
  std::string id;
  std::string model;
  Point point;
  std::string status;
  std::string reason;
  std::vector<Flag> flags;
  std::map<std::string, Statistics> summary;
  std::map<std::string, std::vector<double>> trials;  // by metric, of the successful ones
  const Json* counts = nullptr;                       // of the counting pass

  bool measured() const { return status == "measured"; }
  const Statistics* metric(const std::string& name) const;
};

struct ExperimentView {
  std::string name;
  std::string question;
  std::string metric;                    // what answers the question
  std::string parameter;                 // the swept key, if it is one
  std::vector<std::string> swept;        // all swept keys
  std::map<std::string, double> floors;  // by metric: NoiseFloor::of
  bool open_loop = false;                // the rate is given: throughput tells nothing of a model
  std::vector<CellView> cells;           // in the order of the report
  std::vector<Point> points() const;     // that cells have, each once, in the order of the report
  // The cell of a model at a value of `parameter`.
  const CellView* at(const std::string& model, std::uint64_t value) const;
  std::vector<std::string> models() const;
  std::vector<std::uint64_t> values() const;  // of `parameter`, ascending
};

struct ReportView {
  const Json* json = nullptr;  // outlives the view
  std::vector<ExperimentView> experiments;
  std::vector<std::string> notes;
};

// Both check the report first (report_check.h).
Result<Json> load_report(const std::string& path);
Result<ReportView> view_report(const Json& report, const std::string& file);

// "idle 8000": the swept part of a point, without what is the same at all of them.
std::string format_point(const ExperimentView& experiment, const Point& point);
// "idle 0, 100, 8000"
std::string format_points(const ExperimentView& experiment, const std::vector<Point>& points);

}  // namespace muxbench
