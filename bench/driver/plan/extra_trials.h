// Trials beyond the ordinary ones: those that count system calls, and twins for the noise floor.
#pragma once

#include <vector>

#include "plan/cells.h"
#include "plan/profile.h"

namespace muxbench {

// None whose clients never read: what they send is no request.
std::vector<std::size_t> counted_cells(const std::vector<Cell>& cells, Counting counting);

// A counting trial of the experiment: its counts are exact however short the window is.
Experiment counting_version(Experiment experiment);

// One cell for each experiment: measured under two names in every block, it shows what difference
// the same thing makes (A/A). The model is epoll_level, or the first that runs there; the point is
// its last, and in an open loop, whose last rates are meant to be too high, its first.
std::vector<std::size_t> twin_cells(const std::vector<Cell>& cells,
                                    const std::vector<Experiment>& experiments,
                                    const std::vector<Model>& models);

}  // namespace muxbench
