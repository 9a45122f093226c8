#include "trial/trial.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "net/filling_patience.h"
#include "plan/trial_cost.h"
#include "trial/accept_queue.h"
#include "trial/verify.h"

namespace muxbench {
namespace {

// For all connections of a point: as long as a server may take that starts a program for each.
Nanoseconds time_to_open(const LoadSettings& settings) {
  return std::chrono::seconds(1) +
         std::chrono::milliseconds(10) * static_cast<long>(settings.all_connections());
}

// What the server asks of the machine while it is under load.
class Watch {
 public:
  virtual ~Watch() = default;
  virtual void before_load() {}
  virtual void at(Phase phase, pid_t load) = 0;
};

// CPU time and memory, read at both edges of the measured window.
class UsageWatch final : public Watch {
 public:
  // With so many connections, that last as long as the load does or carry one request each.
  UsageWatch(ServerUsage usage, std::uint64_t connections, bool lasting, TrialResult& result)
      : usage_(usage), connections_(connections), lasting_(lasting), result_(result) {}

  // Before there are connections. With few of them it is noise that would be divided.
  void before_load() override {
    constexpr std::uint64_t kMany = 200;
    if (lasting_ && connections_ >= kMany) at_rest_ = usage_.memory_in_use();
  }

  void at(Phase phase, pid_t load) override {
    if (phase == Phase::connected && lasting_) memory_ = usage_.memory_if_cheap();
    if (phase == Phase::measuring) begin(load);
    if (phase == Phase::measured) end(load);
    if (phase == Phase::drained) read_memory();
  }

 private:
  // First the time: memory takes long to read where there are thousands of threads.
  void begin(pid_t load) {
    cpu_ = usage_.cpu();
    waited_ = waited_for_cpu(load);
    server_waited_ = server_waited();
    if (!lasting_) memory_ = usage_.memory_if_cheap();
  }

  void end(pid_t load) {
    const CpuSample end = usage_.cpu();
    if (const auto waited = waited_for_cpu(load); waited && waited_) {
      result_.load_waited = std::max(*waited - *waited_, Nanoseconds(0));
    }
    if (const auto waited = server_waited(); waited && server_waited_) {
      result_.server_waited = std::max(*waited - *server_waited_, Nanoseconds(0));
    }
    // Children that nobody waited for take their time with them: then it is unknown, and not zero.
    if (cpu_ && end.total > cpu_->total) result_.cpu = end - *cpu_;
  }

  // Several threads wait for each other, and that is the model's own matter. Those of thousands of
  // processes would take long to list, in the middle of the load.
  std::optional<Nanoseconds> server_waited() const {
    const auto pids = usage_.processes();
    if (pids.size() != 1) return {};
    const auto threads = threads_of(pids);
    return threads.size() == 1 ? waited_for_cpu(threads.front()) : std::nullopt;
  }

  void read_memory() {
    result_.memory = usage_.memory();
    const bool ended =
        memory_ && result_.memory && memory_->peak_bytes > result_.memory->peak_bytes;
    if (ended) result_.memory = memory_;
    divide_memory();
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
  std::uint64_t connections_;
  bool lasting_;
  TrialResult& result_;
  std::optional<CpuSample> cpu_;
  // A process per connection may have ended by the time that `drained` is read, so the few
  // processes of a small point are read before, too, and the larger counts.
  std::optional<MemorySample> memory_;
  std::optional<MemoryInUse> at_rest_;
  std::optional<Nanoseconds> waited_;
  std::optional<Nanoseconds> server_waited_;
};

// System calls, read before the load's first request and after its last answer: while both sides
// are at rest, so that what was counted is exactly what those requests took.
class CountingWatch final : public Watch {
 public:
  CountingWatch(ServerUsage usage, const SyscallCounter& counter, TrialResult& result)
      : usage_(usage), counter_(counter), result_(result) {}

  void at(Phase phase, pid_t) override {
    if (phase == Phase::connected) counts_ = count_at_rest();
    if (phase != Phase::drained) return;
    const auto end = count_at_rest();
    if (counts_ && end) result_.counts = *end - *counts_;
  }

 private:
  // The server may still be accepting, or on its way back to its wait.
  std::optional<SyscallCounts> count_at_rest() {
    constexpr auto kPatience = std::chrono::seconds(1);
    constexpr auto kPause = std::chrono::milliseconds(4);
    constexpr int kQuietPauses = 2;
    // A server that is ready to run may have its answers yet to give, on a CPU that others keep
    // busy; but some always run and have none.
    constexpr int kQuietPausesRunning = 25;
    const auto deadline = Clock::now() + kPatience;
    std::uint64_t before = 0;
    for (int quiet = 0;;) {
      auto counts = counter_.read();
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

  ServerUsage usage_;
  const SyscallCounter& counter_;
  TrialResult& result_;
  std::optional<SyscallCounts> counts_;
};

std::unique_ptr<Watch> make_watch(const TrialSetup& setup, const ServerProcess& server,
                                  TrialResult& result) {
  if (setup.counter != nullptr) {
    return std::make_unique<CountingWatch>(server.usage(), *setup.counter, result);
  }
  const LoadSettings& settings = setup.cell->settings;
  const bool lasting = settings.churn == 0 && setup.experiment->protocol != "greet";
  return std::make_unique<UsageWatch>(server.usage(), settings.all_connections(), lasting, result);
}

// What the run of the load generator leaves in the result; the server is alive before and, if all
// is well, after it.
void measure(const TrialSetup& setup, const std::string& root, ServerProcess& server,
             TrialResult& result) {
  const LoadSettings& settings = setup.cell->settings;
  const auto watch = make_watch(setup, server, result);
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
      .server_pidfd = server.pidfd()};
  watch->before_load();
  result.load_command = load_command(request);
  auto load = run_load(request, [&](Phase phase, pid_t pid) {
    if (phase == Phase::connected) {
      result.not_accepted = await_accepted(server.address(), time_to_open(settings));
    }
    watch->at(phase, pid);
  });
  if (load) {
    result.load = std::move(*load);
    if (auto failure = load_failure(result.load); !failure.empty()) result.error = failure;
  } else {
    result.error = load.error().message;
  }
  if (const auto died = server.death("while it was under load")) {
    result.error = *died;
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
    const auto died = server->death("while it was verified");
    result.error = died ? *died : "the server gave a wrong answer: " + good.error().message;
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

std::optional<double> TrialResult::answered() const {
  const auto rate = requests_per_second();
  const auto window = load.window_ns;
  if (!rate || !window || *rate <= 0) return {};
  return *rate * *window / 1e9;
}

std::optional<double> TrialResult::cpu_ns_per_request() const {
  const auto requests = answered();
  if (!cpu || !requests) return {};
  return static_cast<double>(cpu->total.count()) / *requests;
}

std::optional<double> TrialResult::requests_per_second() const { return load.requests_per_second; }

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
         2 * time_to_open(settings) + filling_patience(settings.stall_never_read);
}

}  // namespace muxbench
