#include "driver/trial.h"

#include "driver/budget.h"
#include "driver/verify.h"

namespace muxbench {
namespace {

// What the run of the load generator leaves in the result; the server is alive before and, if all
// is well, after it.
void measure(const TrialSetup& setup, ServerProcess& server, TrialResult& result) {
  const ServerUsage usage = server.usage();
  std::optional<CpuSample> begin;
  const LoadRequest request{
      .program = setup.loadgen,
      .target = server.address(),
      .protocol = setup.experiment->protocol,
      .settings = setup.cell->settings,
      .warmup = warmup_of(*setup.model, *setup.experiment, setup.cell->settings),
      .duration = setup.experiment->duration,
      .cpus = setup.load_cpus,
      .timeout = setup.load_timeout,
      .server_pidfd = server.pidfd()};
  // A process per connection may have ended by the time that `measured` is read here, so the few
  // processes of a small point are read at the beginning of the window too, and the larger counts.
  std::optional<MemorySample> early;
  const LoadCalls calls{.measuring =
                            [&] {
                              early = usage.memory_if_cheap();
                              begin = usage.cpu();
                            },
                        .measured =
                            [&] {
                              const CpuSample end = usage.cpu();
                              // Children that nobody waited for take their time with them: then
                              // it is unknown, and not zero.
                              const bool known = begin && end.total > begin->total;
                              if (known) result.cpu = end - *begin;
                              result.memory = usage.memory();
                              const bool ended = early && result.memory &&
                                                 early->peak_bytes > result.memory->peak_bytes;
                              if (ended) result.memory = early;
                            }};
  auto load = run_load(request, calls);
  if (load) {
    result.load = std::move(*load);
    result.error = load_failure(result.load);
  } else {
    result.error = load.error().message;
  }
  if (const auto died = server.death()) {
    result.error = *died + " while it was under load";
    result.server_failed = true;
  }
}

void run(const TrialSetup& setup, TrialResult& result) {
  const std::string& protocol = setup.experiment->protocol;
  HttpRoot root;
  if (protocol == "http") {
    auto made = make_http_root(setup.scratch, setup.cell->settings.message_bytes);
    if (!made) {
      result.error = made.error().message;
      return;
    }
    root = std::move(*made);
  }
  auto server = ServerProcess::start(*setup.model, {.protocol = protocol,
                                                    .transport = setup.experiment->transport,
                                                    .scratch = setup.scratch,
                                                    .root = root.folder,
                                                    .cpus = setup.server_cpus});
  if (!server) {
    result.error = server.error().message;
    result.server_failed = true;
    return;
  }
  result.server_command = server->command();
  const auto must = [&](const Result<>& good) {
    if (good) return true;
    const auto died = server->death();
    result.error = died ? *died + " while it was verified"
                        : "the server gave a wrong answer: " + good.error().message;
    result.server_failed = true;
    return false;
  };
  if (must(verify_briefly(server->address(), protocol, root))) {
    measure(setup, *server, result);
    if (result.ok()) must(verify_alive(server->address(), protocol, root));
  }
  if (!result.ok()) {
    server->kill_now();
    return;
  }
  if (const auto stopped = server->stop(); !stopped) result.stop_error = stopped.error().message;
}

}  // namespace

std::optional<double> TrialResult::cpu_ns_per_request() const {
  const auto requests = number_at(load, "/requests");
  if (!cpu || !requests || *requests <= 0) return {};
  return static_cast<double>(cpu->total.count()) / *requests;
}

TrialResult run_trial(const TrialSetup& setup) {
  TrialResult result;
  const auto begin = Clock::now();
  run(setup, result);
  reap_orphans();  // every child of the driver is gone here, so only orphans are left to collect
  result.took = Clock::now() - begin;
  return result;
}

Nanoseconds load_timeout(const Experiment& experiment, const LoadSettings& settings) {
  return experiment.warmup + experiment.duration + std::chrono::seconds(10) +
         std::chrono::milliseconds(2) * static_cast<long>(settings.connections + settings.idle);
}

}  // namespace muxbench
