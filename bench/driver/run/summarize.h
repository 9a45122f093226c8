// From trials to cells: status, validity flags, and statistics of each metric.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "run/record.h"

namespace muxbench {

struct Metric {
  std::string_view name;  // in the report
  std::optional<double> (*of)(const TrialResult&);
};

extern const std::array<Metric, 10> kMetrics;
const Metric* find_metric(std::string_view name);

// Fills record.results from record.trials.
void summarize(RunRecord& record);

// The trials of each cell, in the order of the cells.
std::vector<std::vector<const TrialResult*>> trials_by_cell(const RunRecord& record);

}  // namespace muxbench
