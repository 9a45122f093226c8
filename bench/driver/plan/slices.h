// How a cell is measured: by trials, or by slices of a few milliseconds that take turns with those of
// all other models at its point (docs/method.md).
#pragma once

#include "plan/experiment.h"
#include "plan/models.h"

namespace muxbench {

// With fewer a round says nothing.
inline constexpr unsigned kFewestBlocks = 4;

struct SlicePlan {
  Nanoseconds warmup{};
  Nanoseconds length{};  // of the measured window
  unsigned blocks = 0;   // of each round
};

// The experiment's duration is what each model gets measured in one round: slices of 5 ms, or longer
// ones where the load is known to have too few requests in that.
SlicePlan plan_slices(const Experiment& experiment, const LoadSettings& settings);

// The plan for a point where the reference answered so many requests in a second: longer slices where
// those of the plan would hold too few.
SlicePlan calibrated(SlicePlan plan, double requests_per_second);

// What one slice takes: with warm-up, drain, and the wait until the server is at rest.
Nanoseconds slice_cost(const SlicePlan& plan);

// What answers an experiment that names no metric: in slices of a closed loop CPU time per request,
// which a busy machine disturbs least.
std::string usual_metric(const Experiment& experiment);

// Long windows are what stalls, child processes and several workers need.
Method usual_method(const Experiment& experiment);

// Can the CPU time of this model be read exactly, many times a second? Without a cgroup only that of a
// single process can.
bool can_be_sliced(const Model& model, const Experiment& experiment, bool has_cgroup);

}  // namespace muxbench
