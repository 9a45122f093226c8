// What a trial costs beside what it measures, estimated before it runs.
#pragma once

#include "plan/cells.h"
#include "plan/models.h"

namespace muxbench {

// The warm-up that a trial gets: the experiment's, or longer where a program starts for each
// connection, where nothing tells when a server has accepted them all (see accept_queue.h), and until
// clients who never read are stuck.
Nanoseconds warmup_of(const Model& model, const Experiment& experiment,
                      const LoadSettings& settings);

// Start, verification, opening and closing of connections, stop.
Nanoseconds trial_overhead(const Model& model, const LoadSettings& settings);

// Less is not worth measuring: an event loop whose handler blocks for T answers 1/T requests a second,
// and 100 of them are wanted at the longest T. Where a worker is slowed, p99 is wanted, which takes 1,000
// requests of an open loop. 0 otherwise.
Nanoseconds shortest_window(const Experiment& experiment);

// All of it, with the measurement.
Nanoseconds trial_cost(const Model& model, const Experiment& experiment,
                       const LoadSettings& settings);

// A cell's trial, or its part of a round.
Nanoseconds cell_cost(const Model& model, const Experiment& experiment, const Cell& cell);

// Counting its system calls: a trial of its own, or one more slice.
Nanoseconds counting_cost(const Model& model, const Experiment& experiment, const Cell& cell);

}  // namespace muxbench
