#include "trial/trial.h"

#include <memory>

#include "net/filling_patience.h"
#include "trial/accept_queue.h"
#include "trial/load_run.h"
#include "trial/verified_server.h"
#include "trial/watch.h"

namespace muxbench {
namespace {

std::unique_ptr<Watch> make_watch(const TrialSetup& setup, const ServerProcess& server,
                                  TrialResult& result) {
  if (setup.counter != nullptr) {
    return std::make_unique<CountingWatch>(server.usage(), *setup.counter, result);
  }
  return std::make_unique<UsageWatch>(server.usage(), setup, result);
}

// What the run of the load generator leaves in the result; the server is alive before and, if all
// is well, after it.
void measure(const TrialSetup& setup, VerifiedServer& server, TrialResult& result) {
  if (setup.counter != nullptr) {
    if (auto watching = setup.counter->watch(*server.process().group()); !watching) {
      result.error = watching.error().message;
      result.uncountable = true;
      return;
    }
  }
  const auto watch = make_watch(setup, server.process(), result);
  const LoadRequest request = server.load_request(setup);
  watch->before_load();
  result.load_command = load_command(request);
  auto load = run_load(request, [&](Phase phase, pid_t pid) {
    if (phase == Phase::connected) {
      result.not_accepted =
          await_accepted(server.process().address(), time_to_open(setup.cell->settings));
    }
    watch->at(phase, pid);
  });
  if (load) {
    result.load = std::move(*load);
    if (auto failure = load_failure(result.load); !failure.empty()) result.error = failure;
  } else {
    result.error = load.error().message;
  }
  server.look_whether_it_died(result);
}

}  // namespace

std::optional<double> TrialResult::requests_of_cpu() const {
  if (sliced()) return load.requests_in_run;
  const auto rate = requests_per_second();
  const auto window = load.window_ns;
  if (!rate || !window || *rate <= 0) return {};
  return *rate * *window / 1e9;
}

std::optional<double> TrialResult::time_of_cpu_ns() const {
  if (!sliced()) return load.window_ns;
  Nanoseconds sum{};
  for (const Slice& slice : slices) sum += slice.took;
  return static_cast<double>(sum.count());
}

std::optional<double> TrialResult::cpu_ns_per_request() const {
  const auto requests = requests_of_cpu();
  if (!cpu || !requests) return {};
  return static_cast<double>(cpu->total.count()) / *requests;
}

std::optional<double> TrialResult::softirq_ns_per_request() const {
  const auto requests = requests_of_cpu();
  if (!softirq || !requests) return {};
  return static_cast<double>(softirq->count()) / *requests;
}

std::optional<double> TrialResult::requests_per_second() const { return load.requests_per_second; }

TrialResult run_trial(const TrialSetup& setup) {
  TrialResult result;
  const auto begin = Clock::now();
  if (auto server = VerifiedServer::start(setup, result)) {
    measure(setup, *server, result);
    server->finish(setup, result);
  }
  if (setup.counter != nullptr) setup.counter->stop();
  reap_orphans();  // every child of the driver is gone here, so only orphans are left to collect
  result.took = Clock::now() - begin;
  return result;
}

// As long as a server may take that starts a program for each.
Nanoseconds time_to_open(const LoadSettings& settings) {
  return std::chrono::seconds(1) +
         std::chrono::milliseconds(10) * static_cast<long>(settings.all_connections());
}

Nanoseconds load_timeout(const Experiment& experiment, const LoadSettings& settings) {
  // The first load host gives up before, and names the one that does not answer.
  const Nanoseconds patience_with_hosts =
      experiment.launching > Nanoseconds(0) ? std::chrono::seconds(90) : Nanoseconds(0);
  return experiment.warmup + experiment.duration + std::chrono::seconds(10) + patience_with_hosts +
         2 * time_to_open(settings) + filling_patience(settings.stall_never_read);
}

}  // namespace muxbench
