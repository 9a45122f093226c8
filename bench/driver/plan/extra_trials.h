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

// Cells that are measured under two names in every block: they show what difference the same thing
// makes (A/A). The model is epoll_level, or the first that runs there. In slices it is one for each
// point; in trials one for each experiment, at its last point or, in an open loop, whose last rates
// are meant to be too high, at its first.
std::vector<std::size_t> twin_cells(const std::vector<Cell>& cells,
                                    const std::vector<Experiment>& experiments,
                                    const std::vector<Model>& models);

}  // namespace muxbench
