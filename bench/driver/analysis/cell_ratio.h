// How much larger one cell of a report is than another of the same point.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/paired_slices.h"
#include "analysis/ratio.h"
#include "report/report.h"

namespace muxbench {

struct CellRatio {
  Ratio ratio;
  std::size_t n = 0;  // blocks of the side that has fewer, or trials of each
};

// Whether slices of both cells tell the metric.
bool are_paired(const report::Cell& base, const report::Cell& now, std::string_view metric);

// Of `now` to `base`: from the fit of their point where slices say it of both, otherwise from as many trials
// or rounds of each as both have. Nothing where these are too few, or where a value is 0.
std::optional<CellRatio> cell_ratio(const PairedSlices& slices, const report::Cell& base,
                                    const report::Cell& now, const std::string& metric);

// Gives every measured cell its `relative` by each metric that is compared, and every twin that of
// the cell whose second name it is.
void add_relative(report::Report& report);

}  // namespace muxbench
