#include "plan/trial_cost.h"

#include <algorithm>

#include "plan/extra_trials.h"
#include "plan/slices.h"

namespace muxbench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// About what a server needs for one connection to be accepted: some start a thread, a process or even
// a program for it. Constants: a plan must be the same from run to run, as durations are conditions
// that two reports are compared under.
Nanoseconds opening_time(const Model& model) {
  if (model.capabilities.program_per_connection) return microseconds(2500);
  if (model.capabilities.one_client_per_worker) return microseconds(100);  // started before
  if (model.family == "process") return microseconds(400);
  return model.family == "thread" ? microseconds(100) : microseconds(30);
}

Nanoseconds opening_time(const Model& model, const LoadSettings& settings) {
  return opening_time(model) * static_cast<long>(settings.all_connections());
}

}  // namespace

Nanoseconds warmup_of(const Model& model, const Experiment& experiment,
                      const LoadSettings& settings) {
  // A program takes milliseconds to start, and then more are started while the first ones answer.
  const Nanoseconds first_answers =
      model.capabilities.program_per_connection
          ? std::min<Nanoseconds>(milliseconds(4) * static_cast<long>(settings.all_connections()),
                                  milliseconds(500))
          : Nanoseconds{};
  const Nanoseconds accepting =
      experiment.transport == "unix" ? opening_time(model, settings) : Nanoseconds{};
  return std::max({experiment.warmup, accepting, first_answers});
}

Nanoseconds trial_overhead(const Model& model, const LoadSettings& settings) {
  // The load begins when those who never read are held up: 4 MB of the server's send buffer for each
  // are full then, after 70 ms each where system calls are slow.
  const Nanoseconds filling = milliseconds(70) * static_cast<long>(settings.stall_never_read);
  // At the end an event loop still has a request of each connection before it.
  const Nanoseconds last_answers =
      microseconds(settings.work_sleep_us) * static_cast<long>(settings.connections);
  const Nanoseconds opening_and_closing = 2 * opening_time(model, settings);
  return milliseconds(80) + opening_and_closing + filling + last_answers;
}

Nanoseconds shortest_window(const Experiment& experiment) {
  const auto largest = [&](std::string_view key) {
    std::uint64_t most = experiment.load.*find_setting(key)->member;
    for (const Sweep& sweep : experiment.sweep) {
      if (sweep.key != key) continue;
      for (const SweepValue& value : sweep.values) most = std::max(most, value.number());
    }
    return most;
  };
  constexpr long kOfAnEventLoop = 100;
  constexpr long kForP99 = 1000;
  const Nanoseconds blocked = kOfAnEventLoop * microseconds(largest("work_sleep_us"));
  const std::uint64_t rate = experiment.load.rate;
  if (largest("slow_worker_us") == 0 || rate == 0) return blocked;
  return std::max(blocked,
                  kForP99 * Nanoseconds(std::chrono::seconds(1)) / static_cast<long>(rate));
}

Nanoseconds trial_cost(const Model& model, const Experiment& experiment,
                       const LoadSettings& settings) {
  return trial_overhead(model, settings) + warmup_of(model, experiment, settings) +
         experiment.duration + experiment.launching;
}

Nanoseconds cell_cost(const Model& model, const Experiment& experiment, const Cell& cell) {
  if (cell.method == Method::trials) return trial_cost(model, experiment, cell.settings);
  const SlicePlan plan = plan_slices(experiment, cell.settings);
  return trial_overhead(model, cell.settings) + plan.blocks * slice_cost(plan);
}

Nanoseconds counting_cost(const Model& model, const Experiment& experiment, const Cell& cell) {
  if (cell.method == Method::trials) {
    return trial_cost(model, counting_version(experiment), cell.settings);
  }
  constexpr Nanoseconds kReadingAtRest = milliseconds(25);
  return slice_cost(plan_slices(experiment, cell.settings)) + kReadingAtRest;
}

}  // namespace muxbench
