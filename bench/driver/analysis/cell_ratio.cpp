#include "analysis/cell_ratio.h"

#include <algorithm>

#include "analysis/noise_floor.h"

namespace muxbench {
namespace {

using report::Cell;
using report::Relative;

const std::vector<double>& values_of(const Cell& cell, const std::string& metric) {
  static const std::vector<double> none;
  const auto found = cell.values.find(metric);
  return found == cell.values.end() ? none : found->second;
}

Relative relative_of(const Ratio& ratio, std::size_t n) {
  return {.ratio = ratio.ratio, .low = ratio.low, .high = ratio.high, .n = n};
}

// The reference is what is compared with: its ratio is 1 by definition.
std::optional<CellRatio> ratio_to_itself(const PairedSlices& slices, const Cell& reference,
                                         const std::string& metric) {
  const std::size_t n = are_paired(reference, reference, metric)
                            ? slices.logs(reference.id, metric).size()
                            : values_of(reference, metric).size();
  if (n == 0) return {};
  return CellRatio{.ratio = {.ratio = 1, .low = 1, .high = 1}, .n = n};
}

void add_relative(const PairedSlices& slices, const Cell& reference, Cell& cell) {
  for (const Metric& metric : metrics()) {
    const std::string key(metric.key);
    if (!metric.compared || cell.metric(key) == nullptr) continue;
    const auto found = &cell == &reference ? ratio_to_itself(slices, reference, key)
                                           : cell_ratio(slices, reference, cell, key);
    if (found) cell.relative[key] = relative_of(found->ratio, found->n);
  }
}

}  // namespace

bool are_paired(const Cell& base, const Cell& now, std::string_view metric) {
  return base.sliced() && now.sliced() && told_by_slices(metric);
}

std::optional<CellRatio> cell_ratio(const PairedSlices& slices, const Cell& base, const Cell& now,
                                    const std::string& metric) {
  if (are_paired(base, now, metric)) {
    const auto paired = slices.ratio(base.id, now.id, metric);
    if (!paired) return {};
    return CellRatio{.ratio = to_ratio(paired->log), .n = paired->blocks};
  }
  std::vector<double> before = values_of(base, metric);
  std::vector<double> after = values_of(now, metric);
  const std::size_t n = std::min(before.size(), after.size());
  before.resize(n);
  after.resize(n);
  const auto positive = [](double value) { return value > 0; };
  if (n < 2 || !std::all_of(before.begin(), before.end(), positive) ||
      !std::all_of(after.begin(), after.end(), positive)) {
    return {};
  }
  return CellRatio{.ratio = ratio_of(std::move(before), std::move(after)), .n = n};
}

void add_relative(report::Report& report) {
  const PairedSlices slices(report);
  for (report::Experiment& experiment : report.experiments) {
    for (const Point& point : experiment.points()) {
      const Cell* reference = reference_at(experiment, point);
      if (reference == nullptr) continue;
      for (Cell& cell : experiment.cells) {
        if (cell.point == point && cell.measured()) add_relative(slices, *reference, cell);
      }
    }
  }
  for (const TwinRatio& twin : twin_ratios(report, slices, Flagged::included)) {
    for (Cell& cell : report.twins) {
      if (cell.id != report::twin_id(twin.cell)) continue;
      cell.relative[twin.metric] = relative_of(twin.ratio, twin.trials);
    }
  }
}

}  // namespace muxbench
