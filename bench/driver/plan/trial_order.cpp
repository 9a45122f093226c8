#include "plan/trial_order.h"

#include <algorithm>
#include <random>

#include "plan/extra_trials.h"

namespace muxbench {
namespace {

// Fisher and Yates over a generator that the C++ standard fixes. std::shuffle and the standard
// distributions differ between libraries, and then a seed would not give the same order.
void shuffle(std::vector<PlannedTrial>& trials, std::size_t from, std::mt19937_64& generator) {
  for (std::size_t left = trials.size() - from; left > 1; --left) {
    // Numbers above the last whole multiple are drawn again, so every order is equally likely.
    const std::uint64_t limit = generator.max() - generator.max() % left;
    std::uint64_t drawn = generator();
    while (drawn >= limit) drawn = generator();
    std::swap(trials[from + left - 1], trials[from + drawn % left]);
  }
}

}  // namespace

void shuffle_trials(std::vector<PlannedTrial>& trials, std::size_t from, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  shuffle(trials, from, generator);
}

std::vector<PlannedTrial> order_trials(const std::vector<Cell>& cells,
                                       const std::vector<Experiment>& experiments,
                                       std::uint64_t seed, Counting counting,
                                       const std::vector<std::size_t>& twins) {
  unsigned blocks = 0;
  for (const Experiment& experiment : experiments) {
    blocks = std::max(blocks, experiment.repetitions);
  }
  std::mt19937_64 generator(seed);
  std::vector<PlannedTrial> trials;
  for (unsigned block = 0; block < blocks; ++block) {
    const std::size_t begin = trials.size();
    for (std::size_t cell = 0; cell < cells.size(); ++cell) {
      const bool runs = !cells[cell].skipped;
      if (runs && block < experiments[cells[cell].experiment].repetitions) {
        trials.push_back({cell, block});
      }
    }
    for (const std::size_t cell : twins) {
      if (block < experiments[cells[cell].experiment].repetitions) {
        trials.push_back({.cell = cell, .repetition = block, .twin = true});
      }
    }
    shuffle(trials, begin, generator);
    if (block > 0) continue;
    const std::size_t end = trials.size();
    for (const std::size_t cell : counted_cells(cells, counting)) trials.push_back({cell, 0, true});
    shuffle(trials, end, generator);
  }
  return trials;
}

}  // namespace muxbench
