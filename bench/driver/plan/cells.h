// Cells: a model at a point of an experiment, and which of them can run here.
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
  bool load_hosts = false;                    // the load comes from other machines
  bool has_cgroup = true;                     // for each server, so that its CPU time is exact
};

struct Cell {
  std::string id;
  std::size_t model = 0;       // places in the plan's lists
  std::size_t experiment = 0;  // likewise
  Point point;
  LoadSettings settings;
  Method method = Method::trials;
  std::optional<std::string> skipped;  // why it cannot run here
};

std::optional<std::string> why_skipped(const Model& model, const Experiment& experiment,
                                       const LoadSettings& settings, const CellLimits& limits);

std::vector<Cell> make_cells(const std::vector<Model>& models,
                             const std::vector<Experiment>& experiments, const CellLimits& limits);

}  // namespace muxbench
