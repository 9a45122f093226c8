// The trials of a plan in a random order that a recorded seed gives again.
#pragma once

#include <vector>

#include "plan/cells.h"
#include "plan/profile.h"

namespace muxbench {

struct PlannedTrial {
  std::size_t cell = 0;
  unsigned repetition = 0;
  bool counting = false;  // of the pass that counts system calls
  bool twin = false;      // once more under a second name, for the noise floor
};

// Block r holds trial r of every cell that runs, shuffled: a drift of the machine hits all alike.
// The counting trials are a block of their own after the first, so that they are there even when
// the time ends early.
std::vector<PlannedTrial> order_trials(const std::vector<Cell>& cells,
                                       const std::vector<Experiment>& experiments,
                                       std::uint64_t seed, Counting counting = Counting::none,
                                       const std::vector<std::size_t>& twins = {});
// Shuffles those from `from` on by a generator that gives the same order everywhere.
void shuffle_trials(std::vector<PlannedTrial>& trials, std::size_t from, std::uint64_t seed);

}  // namespace muxbench
