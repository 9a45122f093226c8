// All slices of a report, ready to be compared in pairs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/paired.h"
#include "report/report.h"

namespace muxbench {

// The cell of that model, or the first one, of those measured at the point. Nothing where none is.
const report::Cell* reference_at(const report::Experiment& experiment, const Point& point);

// Whether slices tell a metric: CPU time per request by all of them, throughput and latency by those
// that no other process disturbed. Memory is read once a round.
bool told_by_slices(std::string_view metric);

class PairedSlices {
 public:
  PairedSlices() = default;
  explicit PairedSlices(const report::Report& report);

  // Of a cell, by its id; empty where there are none. Those of a withheld metric are left out. A block
  // has one value: where the cell has a twin, the mean of both servers.
  const SliceLogs& logs(const std::string& cell, std::string_view metric) const;

  // Of two cells of one point, by their ids. Nothing where they have too few blocks in common: 20 for
  // throughput and latency, 3 in a round for CPU time.
  std::optional<PairedRatio> ratio(const std::string& base, const std::string& now,
                                   std::string_view metric) const;
  // Of a cell's twin to its other server, likewise.
  std::optional<PairedRatio> twin_ratio(const std::string& cell, std::string_view metric) const;

  // Of a pair of cells.
  double instance_variance(const std::string& base, const std::string& now,
                           std::string_view metric) const;

 private:
  using Logs = std::map<std::string, SliceLogs, std::less<>>;    // by metric
  using Variances = std::map<std::string, double, std::less<>>;  // by metric, of one server each
  using Rounds = std::vector<const report::Trial*>;
  struct OfCell {
    std::size_t point = 0;
    std::vector<Logs> servers;  // its own, and its twin
    Logs logs;                  // of all of them
  };

  void add(std::size_t point, const report::Cell& cell, const std::vector<Rounds>& servers);
  void pool(const report::Experiment& experiment, const Point& point);
  // Nothing where it is not there.
  const OfCell* find(const std::string& cell) const;

  std::map<std::string, OfCell> cells_;
  std::vector<Variances> instance_variances_;  // by point
};

}  // namespace muxbench
