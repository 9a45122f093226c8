// The plan: cells (model x point of an experiment), which of them can run here, and their trials
// in a random order that a recorded seed gives again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/experiment.h"
#include "plan/models.h"

namespace muxbench {

// What a cell may take: more of it, and it is skipped.
struct CellLimits {
  std::uint64_t descriptors = 0;              // of one process (RLIMIT_NOFILE)
  std::uint64_t cpus = 0;                     // that the server may use; 0: no matter
  std::optional<Nanoseconds> trial_overhead;  // where the profile's time is short
};

struct Cell {
  std::string id;
  std::size_t model = 0;       // places in the plan's lists
  std::size_t experiment = 0;  // likewise
  Point point;
  LoadSettings settings;
  std::optional<std::string> skipped;  // why it cannot run here
};

struct PlannedTrial {
  std::size_t cell = 0;
  unsigned repetition = 0;
  bool counting = false;  // of the pass that counts system calls
  bool twin = false;      // once more under a second name, for the noise floor
};

// Which cells are counted: all, or of each model and experiment the last one that runs. None whose
// clients never read: what they send is no request.
enum class Counting { none, last_points, all_points };

std::optional<std::string> why_skipped(const Model& model, const Experiment& experiment,
                                       const LoadSettings& settings, const CellLimits& limits);

std::vector<Cell> make_cells(const std::vector<Model>& models,
                             const std::vector<Experiment>& experiments, const CellLimits& limits);

std::vector<std::size_t> counted_cells(const std::vector<Cell>& cells, Counting counting);

// One cell for each experiment: measured under two names in every block, it shows what difference
// the same thing makes (A/A). The model is epoll_level, or the first that runs there; the point is
// its last, and in an open loop, whose last rates are meant to be too high, its first.
std::vector<std::size_t> twin_cells(const std::vector<Cell>& cells,
                                    const std::vector<Experiment>& experiments,
                                    const std::vector<Model>& models);

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
