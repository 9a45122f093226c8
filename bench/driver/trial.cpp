#include "driver/trial.h"

#include <algorithm>
#include <thread>

#include "driver/budget.h"
#include "driver/verify.h"

namespace muxbench {
namespace {

// The server's use of the machine, read at both edges of the measured window.
class Window {
 public:
  // The load generator's window is of wall time: at most half of it goes to holding it still.
  Window(ServerUsage usage, const SyscallCounter* counter, Nanoseconds duration,
         TrialResult& result)
      : usage_(usage), counter_(counter), longest_hold_(duration / 2), result_(result) {}

  void opens(pid_t load) {
    if (counter_ != nullptr) {
      const auto since = Clock::now();
      counts_ = count_at_rest();
      result_.held_for = Clock::now() - since;
      return;
    }
    // A process per connection may have ended by the time that `measured` is read, so the few
    // processes of a small point are read here too, and the larger counts.
    memory_ = usage_.memory_if_cheap();
    waited_ = waited_for_cpu(load);
    cpu_ = usage_.cpu();
  }

  void closes(pid_t load) {
    if (counter_ != nullptr) {
      const auto end = count_at_rest();
      if (counts_ && end) result_.counts = *end - *counts_;
      return;
    }
    const CpuSample end = usage_.cpu();
    result_.load_waited = std::max(waited_for_cpu(load) - waited_, Nanoseconds(0));
    // Children that nobody waited for take their time with them: then it is unknown, and not zero.
    if (cpu_ && end.total > cpu_->total) result_.cpu = end - *cpu_;
    result_.memory = usage_.memory();
    const bool ended =
        memory_ && result_.memory && memory_->peak_bytes > result_.memory->peak_bytes;
    if (ended) result_.memory = memory_;
    divide_memory();
  }

  // Before there are connections. With few of them it is noise that would be divided.
  void before(std::uint64_t connections) {
    constexpr std::uint64_t kMany = 200;
    connections_ = connections;
    if (counter_ == nullptr && connections >= kMany) at_rest_ = usage_.memory_in_use();
  }

 private:
  // The load generator is held still. Once the server has answered what is in flight, each
  // connection has exactly one answer waiting for the load generator, at both edges of the window:
  // so the requests that it counts are those that the kernel counted.
  std::optional<SyscallCounts> count_at_rest() {
    constexpr auto kPause = std::chrono::milliseconds(4);
    constexpr int kQuietPauses = 2;
    // A server that is ready to run may have its answers yet to give, on a CPU that others keep
    // busy; but some always run and have none.
    constexpr int kQuietPausesRunning = 25;
    const auto deadline = Clock::now() + longest_hold_;
    std::uint64_t before = 0;
    for (int quiet = 0;;) {
      auto counts = counter_->read();
      if (!counts) {
        result_.error = counts.error().message;
        return {};
      }
      quiet = counts->work_done() == before ? quiet + 1 : 0;
      const bool at_rest = quiet >= kQuietPausesRunning ||
                           (quiet >= kQuietPauses && !any_runnable(usage_.processes()));
      if (at_rest || Clock::now() > deadline) return std::move(*counts);
      before = counts->work_done();
      std::this_thread::sleep_for(kPause);
    }
  }

  void divide_memory() {
    const auto in_use = at_rest_ ? usage_.memory_in_use() : std::nullopt;
    if (!in_use) return;
    const auto each = [&](std::uint64_t more, std::uint64_t less) -> std::optional<double> {
      if (more <= less) return {};  // something else freed more: unknown
      return static_cast<double>(more - less) / static_cast<double>(connections_);
    };
    result_.process_bytes_per_connection = each(in_use->process_bytes, at_rest_->process_bytes);
    result_.kernel_bytes_per_connection = each(in_use->kernel_bytes, at_rest_->kernel_bytes);
  }

  ServerUsage usage_;
  const SyscallCounter* counter_;
  Nanoseconds longest_hold_;
  TrialResult& result_;
  std::optional<CpuSample> cpu_;
  std::optional<MemorySample> memory_;
  std::optional<MemoryInUse> at_rest_;
  std::uint64_t connections_ = 1;
  Nanoseconds waited_{};
  std::optional<SyscallCounts> counts_;
};

// What the run of the load generator leaves in the result; the server is alive before and, if all
// is well, after it.
void measure(const TrialSetup& setup, const std::string& root, ServerProcess& server,
             TrialResult& result) {
  Window window(server.usage(), setup.counter, setup.experiment->duration, result);
  const LoadRequest request{
      .program = setup.loadgen,
      .target = server.address(),
      .protocol = setup.experiment->protocol,
      .body_root = root,
      .settings = setup.cell->settings,
      .warmup = warmup_of(*setup.model, *setup.experiment, setup.cell->settings),
      .duration = setup.experiment->duration,
      .cpus = setup.load_cpus,
      .timeout = setup.load_timeout,
      .hold_at_start = setup.counter != nullptr,
      .server_pidfd = server.pidfd()};
  window.before(setup.cell->settings.all_connections());
  const LoadCalls calls{.measuring = [&](pid_t load) { window.opens(load); },
                        .measured = [&](pid_t load) { window.closes(load); }};
  auto load = run_load(request, calls);
  if (load) {
    result.load = std::move(*load);
    if (auto failure = load_failure(result.load); !failure.empty()) result.error = failure;
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
  auto server = ServerProcess::start(*setup.model,
                                     {.protocol = protocol,
                                      .transport = setup.experiment->transport,
                                      .scratch = setup.scratch,
                                      .root = root.folder,
                                      .cpus = setup.server_cpus,
                                      .extra = arguments_of(setup.cell->settings, Side::server)});
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
  if (setup.counter != nullptr) {
    if (auto watching = setup.counter->watch(*server->group()); !watching) {
      result.error = watching.error().message;
      server->kill_now();
      return;
    }
  }
  if (must(verify_briefly(server->address(), protocol, root))) {
    measure(setup, root.folder, *server, result);
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

std::optional<double> TrialResult::requests_per_second() const {
  const auto rate = number_at(load, "/achieved/requests_per_second");
  const auto window = number_at(load, "/achieved/duration_ns");
  if (held_for == Nanoseconds(0) || !rate || !window) return rate;
  const auto held = static_cast<double>(held_for.count());
  if (*window <= held) return {};
  return *rate * *window / (*window - held);
}

TrialResult run_trial(const TrialSetup& setup) {
  TrialResult result;
  const auto begin = Clock::now();
  run(setup, result);
  if (setup.counter != nullptr) setup.counter->stop();
  reap_orphans();  // every child of the driver is gone here, so only orphans are left to collect
  result.took = Clock::now() - begin;
  return result;
}

Nanoseconds load_timeout(const Experiment& experiment, const LoadSettings& settings) {
  return experiment.warmup + experiment.duration + std::chrono::seconds(10) +
         std::chrono::milliseconds(2) * static_cast<long>(settings.all_connections());
}

}  // namespace muxbench
