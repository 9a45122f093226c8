#include "plan/cells.h"
#include "plan/name_pattern.h"

#include <algorithm>
#include <map>
#include <random>

#include "base/format.h"
#include "plan/trial_cost.h"

namespace muxbench {
namespace {

// What a server or the load generator needs beside one descriptor per connection: listener, epoll
// sets, timers, pipes, libraries' own.
constexpr std::uint64_t kSpareDescriptors = 64;

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string join(const std::vector<std::string>& list) {
  return fmt::format("{}", fmt::join(list, ", "));
}

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

std::optional<std::string> why_skipped(const Model& model, const Experiment& experiment,
                                       const LoadSettings& settings, const CellLimits& limits) {
  if (!model.available) return model.reason;
  const Capabilities& can = model.capabilities;
  if (!has(can.protocols, experiment.protocol)) {
    return fmt::format("it does not speak {}, only {}", experiment.protocol, join(can.protocols));
  }
  if (!has(can.transports, experiment.transport)) {
    return fmt::format("it does not serve over {}, only over {}", experiment.transport,
                       join(can.transports));
  }
  // How a model without workers scales is no question, so that its one point would mislead.
  if (!can.workers && (settings.workers > 1 || sweeps(experiment, "workers"))) {
    return "it has one worker by its nature";
  }
  if (limits.cpus > 0 && settings.workers > limits.cpus) {
    return fmt::format("the server has {} CPU{}, and this point has {} workers", limits.cpus,
                       limits.cpus == 1 ? "" : "s", settings.workers);
  }
  const char* work = settings.work_child > 0     ? "child"
                     : settings.work_spin_us > 0 ? "spin"
                                                 : "none";
  if (work != std::string("none") && !has(can.work, work)) {
    return fmt::format("it does not do the work \"{}\" for a request", work);
  }
  const std::uint64_t connections = settings.all_connections();
  if (!can.concurrent && connections > 1) {
    return "it serves one connection at a time, and this point has more";
  }
  if (can.one_client_per_worker && settings.workers > 0 && connections > settings.workers) {
    return fmt::format("each of its {} workers serves one client at a time, and this point has {}",
                       settings.workers, connections);
  }
  if (can.max_connections && connections > *can.max_connections) {
    return fmt::format("it serves at most {} connections, and this point has {}",
                       *can.max_connections, connections);
  }
  if (const std::uint64_t needed = connections + kSpareDescriptors; needed > limits.descriptors) {
    return fmt::format(
        "{} connections need {} descriptors in one process and the limit is {}; "
        "raise it with ulimit -n {}",
        connections, needed, limits.descriptors, needed);
  }
  const Nanoseconds overhead = trial_overhead(model, settings);
  if (limits.trial_overhead && overhead > *limits.trial_overhead) {
    return fmt::format(
        "opening and closing its {} connections may take {}, too long for the profile's time; "
        "--profile full measures it",
        connections, format_duration(overhead));
  }
  return {};
}

std::vector<Cell> make_cells(const std::vector<Model>& models,
                             const std::vector<Experiment>& experiments, const CellLimits& limits) {
  std::vector<Cell> cells;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const Experiment& experiment = experiments[e];
    for (const Point& point : points_of(experiment)) {
      for (std::size_t m = 0; m < models.size(); ++m) {
        if (!matches_any(models[m].name, experiment.models)) continue;
        const LoadSettings settings = at_point(experiment.load, point);
        cells.push_back({.id = cell_id(models[m].name, experiment, point),
                         .model = m,
                         .experiment = e,
                         .point = point,
                         .settings = settings,
                         .skipped = why_skipped(models[m], experiment, settings, limits)});
      }
    }
  }
  return cells;
}

std::vector<std::size_t> counted_cells(const std::vector<Cell>& cells, Counting counting) {
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> last;
  std::vector<std::size_t> counted;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].skipped || counting == Counting::none) continue;
    // The calls for those who never read would be counted as if they were for the others' requests.
    if (cells[i].settings.stall_never_read > 0) continue;
    if (counting == Counting::all_points) counted.push_back(i);
    last[{cells[i].experiment, cells[i].model}] = i;
  }
  if (counting == Counting::last_points) {
    for (const auto& [of, cell] : last) counted.push_back(cell);
  }
  return counted;
}

std::vector<std::size_t> twin_cells(const std::vector<Cell>& cells,
                                    const std::vector<Experiment>& experiments,
                                    const std::vector<Model>& models) {
  std::map<std::size_t, std::size_t> twins;  // by experiment
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (cell.skipped) continue;
    const auto [twin, first] = twins.try_emplace(cell.experiment, i);
    if (first) continue;
    const std::size_t chosen = cells[twin->second].model;
    const bool same_model = cell.model == chosen;
    const bool open = experiments[cell.experiment].mode == "open";
    if (same_model ? !open : models[cell.model].name == "epoll_level") twin->second = i;
  }
  std::vector<std::size_t> in_order;
  for (const auto& [experiment, cell] : twins) in_order.push_back(cell);
  return in_order;
}

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
