#include "plan/trial_order.h"

#include <algorithm>
#include <random>
#include <span>

#include "base/shuffle.h"
#include "plan/extra_trials.h"

namespace muxbench {
namespace {

// A trial, or the parts of one round.
using Unit = std::vector<PlannedTrial>;

bool of_one_round(const Cell& a, const Cell& b) {
  return a.method == Method::slices && b.method == Method::slices && a.experiment == b.experiment &&
         a.point == b.point;
}

// Puts a block's trials in a random order, those of a round together.
void shuffle_block(std::vector<PlannedTrial>& trials, std::size_t from,
                   const std::vector<Cell>& cells, std::mt19937_64& generator) {
  const auto begin = trials.begin() + static_cast<std::ptrdiff_t>(from);
  std::vector<Unit> units;
  for (auto trial = begin; trial != trials.end(); ++trial) {
    const auto same = std::find_if(units.begin(), units.end(), [&](const Unit& unit) {
      return !trial->counting && !unit.front().counting &&
             of_one_round(cells[unit.front().cell], cells[trial->cell]);
    });
    if (same == units.end()) {
      units.push_back({*trial});
    } else {
      same->push_back(*trial);
    }
  }
  shuffle(std::span(units), generator);
  trials.erase(begin, trials.end());
  for (Unit& unit : units) {
    shuffle(std::span(unit), generator);
    trials.insert(trials.end(), unit.begin(), unit.end());
  }
}

}  // namespace

void shuffle_trials(std::vector<PlannedTrial>& trials, std::size_t from,
                    const std::vector<Cell>& cells, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  shuffle_block(trials, from, cells, generator);
}

std::size_t end_of_round(const std::vector<PlannedTrial>& order, const std::vector<Cell>& cells,
                         std::size_t from) {
  std::size_t end = from + 1;
  while (end < order.size() && !order[from].counting && !order[end].counting &&
         order[end].repetition == order[from].repetition &&
         of_one_round(cells[order[from].cell], cells[order[end].cell])) {
    ++end;
  }
  return end;
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
    shuffle_block(trials, begin, cells, generator);
    if (block > 0) continue;
    std::vector<PlannedTrial> counting_trials;
    for (const std::size_t cell : counted_cells(cells, counting)) {
      const auto part = std::find_if(trials.begin(), trials.end(), [&](const PlannedTrial& trial) {
        return trial.cell == cell && !trial.twin;
      });
      if (cells[cell].method == Method::slices) {
        part->counted = true;
      } else {
        counting_trials.push_back({.cell = cell, .counting = true});
      }
    }
    shuffle(std::span(counting_trials), generator);
    trials.insert(trials.end(), counting_trials.begin(), counting_trials.end());
  }
  return trials;
}

}  // namespace muxbench
