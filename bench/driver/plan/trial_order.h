// The trials and rounds of a plan in a random order that a recorded seed gives again.
#pragma once

#include <vector>

#include "plan/cells.h"
#include "plan/profile.h"

namespace muxbench {

// A trial, or a cell's part of a round. The parts of one round stand together.
struct PlannedTrial {
  std::size_t cell = 0;
  unsigned repetition = 0;
  bool counting = false;  // of the pass that counts system calls
  bool twin = false;      // once more under a second name, for the noise floor
  bool counted = false;   // of a round: its system calls are counted at the end of it
};

// The end of the round that begins at `from`: of one point, in slices. A trial is `from` + 1.
std::size_t end_of_round(const std::vector<PlannedTrial>& order, const std::vector<Cell>& cells,
                         std::size_t from);

// Block r holds trial r of every cell that runs and round r of every point, shuffled: a drift of the
// machine hits all alike.
// The counting trials are a block of their own after the first, so that they are there even when
// the time ends early.
std::vector<PlannedTrial> order_trials(const std::vector<Cell>& cells,
                                       const std::vector<Experiment>& experiments,
                                       std::uint64_t seed, Counting counting = Counting::none,
                                       const std::vector<std::size_t>& twins = {});
// Shuffles those from `from` on, the parts of a round together, by a generator that gives the same
// order everywhere.
void shuffle_trials(std::vector<PlannedTrial>& trials, std::size_t from,
                    const std::vector<Cell>& cells, std::uint64_t seed);

}  // namespace muxbench
