// All slices of a report, ready to be compared in pairs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/point_fit.h"
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
  SliceLogs logs(const std::string& cell, std::string_view metric) const;

  // Of two cells of one point, by their ids. Nothing where they have too few blocks: 20 for throughput
  // and latency, 3 in a round for CPU time.
  std::optional<PairedRatio> ratio(const std::string& base, const std::string& now,
                                   std::string_view metric) const;
  // Of a cell's twin to its other server, likewise.
  std::optional<PairedRatio> twin_ratio(const std::string& cell, std::string_view metric) const;

  // Of all servers at the point of a cell, and those of the cell among them: its own, and its twin.
  const PointFit* fit(const std::string& cell, std::string_view metric) const;
  const std::vector<std::size_t>& servers(const std::string& cell) const;

 private:
  using Servers = std::vector<SliceLogs>;
  struct OfMetric {
    Servers logs;
    PointFit fit;
  };
  using OfPoint = std::map<std::string, OfMetric, std::less<>>;  // by metric
  struct OfCell {
    std::size_t point = 0;
    std::vector<std::size_t> servers;
  };

  // Nothing where it is not there.
  const OfMetric* find(const std::string& cell, std::string_view metric) const;

  std::map<std::string, OfCell> cells_;
  std::vector<OfPoint> points_;
};

}  // namespace muxbench
