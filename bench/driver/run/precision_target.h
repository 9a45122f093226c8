// How well the cells of a run are known, against what --target-ci asks for.
#pragma once

#include <string>
#include <vector>

#include "run/record.h"

namespace muxbench {

// Of the cells that can still be measured those whose interval is wider than asked for, and how many
// there are. In slices it is the interval of the ratio to the reference. A few trials can agree by
// chance, so none is done before it has five.
struct Target {
  std::vector<std::size_t> missed;
  std::size_t cells = 0;
};

// `target_ci`: the relative half width of the 95 % confidence interval, 0.02 for --target-ci 2%.
Target compare_with_target(const RunRecord& record, double target_ci);

// The cells in slices of which it is open whether they differ from the reference at their point.
std::vector<std::size_t> undecided_cells(const RunRecord& record);

// "2 of 8 cells are known less well than --target-ci 2 % asks for"; empty if all are known so well.
std::string missed_target(const RunRecord& record, double target_ci);

// Of cells that lack what answers their experiment, such as a p99 of too few requests, more trials
// tell no more; empty if none does.
std::string note_on_cells_without_target(const RunRecord& record);

}  // namespace muxbench
