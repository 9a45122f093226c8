#include "plan/slices.h"

#include <algorithm>
#include <cmath>

namespace muxbench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Nanoseconds kWarmup = milliseconds(1);
constexpr Nanoseconds kShortest = milliseconds(5);
constexpr Nanoseconds kLongest = milliseconds(100);
// Fewer, and a slice's throughput and p99 are mostly chance.
constexpr double kFewestRequests = 100;

// Whole steps: a plan is a condition that two reports are compared under.
Nanoseconds length_for(double requests_per_second) {
  for (const Nanoseconds step : {kShortest, Nanoseconds(milliseconds(10)),
                                 Nanoseconds(milliseconds(20)), Nanoseconds(milliseconds(50))}) {
    const double held = requests_per_second * std::chrono::duration<double>(step).count();
    if (held >= kFewestRequests) return step;
  }
  return kLongest;
}

// As far as it is known before anything is measured.
double expected_rate(const LoadSettings& settings) {
  constexpr double kEasily = 40'000;  // a closed loop on a slow machine
  constexpr double kOfChurn = 10'000;
  double rate = settings.churn > 0 ? kOfChurn : kEasily;
  if (settings.work_spin_us > 0) {
    rate = std::min(rate, 1e6 / static_cast<double>(settings.work_spin_us));
  }
  if (settings.work_sleep_us > 0) {  // of an event loop
    rate = std::min(rate, 1e6 / static_cast<double>(settings.work_sleep_us));
  }
  return settings.rate > 0 ? static_cast<double>(settings.rate) : rate;
}

unsigned blocks_of(Nanoseconds duration, Nanoseconds length) {
  const auto blocks = (duration + length / 2) / length;
  return std::max(static_cast<unsigned>(blocks), kFewestBlocks);
}

}  // namespace

SlicePlan plan_slices(const Experiment& experiment, const LoadSettings& settings) {
  const Nanoseconds length =
      std::min(length_for(expected_rate(settings)), std::max(experiment.duration, kShortest));
  return {.warmup = std::min(kWarmup, length / 4),
          .length = length,
          .blocks = blocks_of(experiment.duration, length)};
}

SlicePlan calibrated(SlicePlan plan, double requests_per_second) {
  constexpr double kTooFew = 0.6;  // of those wanted: a plan does not change for a little
  const double held = requests_per_second * std::chrono::duration<double>(plan.length).count();
  if (held >= kTooFew * kFewestRequests) return plan;
  const Nanoseconds all = plan.blocks * plan.length;
  plan.length = std::max(plan.length, length_for(requests_per_second));
  plan.blocks = blocks_of(all, plan.length);
  return plan;
}

Nanoseconds slice_cost(const SlicePlan& plan) {
  constexpr Nanoseconds kBetween = microseconds(1500);
  return plan.warmup + plan.length + kBetween;
}

Method usual_method(const Experiment& experiment) {
  const LoadSettings& load = experiment.load;
  const bool long_windows =
      load.stalled() > 0 || load.work_child > 0 || load.workers > 0 || load.work_sleep_us > 0 ||
      load.slow_worker_us > 0 ||
      std::any_of(experiment.sweep.begin(), experiment.sweep.end(), [](const Sweep& sweep) {
        return sweep.key.starts_with("stall_") || sweep.key == "work_child" ||
               sweep.key == "workers" || sweep.key == "work_sleep_us" ||
               sweep.key == "slow_worker_us";
      });
  return long_windows ? Method::trials : Method::slices;
}

std::string usual_metric(const Experiment& experiment) {
  const bool sliced = experiment.method.value_or(usual_method(experiment)) == Method::slices;
  return sliced && experiment.mode == "closed" ? "server_cpu_ns_per_request"
                                               : usual_metric(experiment.mode);
}

bool can_be_sliced(const Model& model, const Experiment& experiment, bool has_cgroup) {
  const bool one_process = !model.external && model.family != "process" &&
                           !model.capabilities.program_per_connection &&
                           experiment.load.work_child == 0;
  return has_cgroup || one_process;
}

}  // namespace muxbench
