#include "trial/watch.h"

#include <algorithm>
#include <thread>

#include "system/softirq.h"

namespace muxbench {

UsageWatch::UsageWatch(ServerUsage usage, const TrialSetup& setup, TrialResult& result)
    : usage_(usage),
      quotas_(setup.quotas),
      crosses_device_(setup.hosts != nullptr || setup.load_network >= 0),
      local_load_(setup.hosts == nullptr),
      connections_(setup.cell->settings.all_connections()),
      lasting_(setup.cell->settings.churn == 0 && setup.experiment->protocol != "greet"),
      result_(result) {}

// Before there are connections. With few of them it is noise that would be divided.
void UsageWatch::before_load() {
  constexpr std::uint64_t kMany = 200;
  if (lasting_ && connections_ >= kMany) at_rest_ = usage_.memory_in_use();
}

void UsageWatch::at(Phase phase, pid_t load) {
  if (phase == Phase::connected && lasting_) memory_ = usage_.memory_if_cheap();
  if (phase == Phase::measuring) begin(load);
  if (phase == Phase::measured) end(load);
  if (phase == Phase::drained) {
    read_memory();
    divide_memory();
  }
}

// First the time: memory takes long to read where there are thousands of threads.
void UsageWatch::begin(pid_t load) {
  throttled_ = throttled_periods(quotas_);
  cpu_ = usage_.cpu();
  if (crosses_device_) softirq_ = softirq_time();
  if (local_load_) waited_ = waited_for_cpu(load);
  server_waited_ = server_waited();
  if (!lasting_) memory_ = usage_.memory_if_cheap();
}

void UsageWatch::end(pid_t load) {
  const CpuSample end = usage_.cpu();
  if (const auto softirq = softirq_ ? softirq_time() : std::nullopt) {
    result_.softirq = std::max(*softirq - *softirq_, Nanoseconds(0));
  }
  if (const auto waited = local_load_ ? waited_for_cpu(load) : std::nullopt; waited && waited_) {
    result_.load_waited = std::max(*waited - *waited_, Nanoseconds(0));
  }
  if (const auto waited = server_waited(); waited && server_waited_) {
    result_.server_waited = std::max(*waited - *server_waited_, Nanoseconds(0));
  }
  result_.throttled_periods = throttled_periods(quotas_) - throttled_;
  // Children that nobody waited for take their time with them: then it is unknown, and not zero.
  if (cpu_ && end.total > cpu_->total) result_.cpu = end - *cpu_;
}

// Several threads wait for each other, and that is the model's own matter. Those of thousands of
// processes would take long to list, in the middle of the load.
std::optional<Nanoseconds> UsageWatch::server_waited() const {
  const auto pids = usage_.processes();
  if (pids.size() != 1) return {};
  const auto threads = threads_of(pids);
  return threads.size() == 1 ? waited_for_cpu(threads.front()) : std::nullopt;
}

void UsageWatch::read_memory() {
  result_.memory = usage_.memory();
  const bool ended = memory_ && result_.memory && memory_->peak_bytes > result_.memory->peak_bytes;
  if (ended) result_.memory = memory_;
}

void UsageWatch::divide_memory() {
  const auto in_use = at_rest_ ? usage_.memory_in_use() : std::nullopt;
  if (!in_use) return;
  const auto each = [&](std::uint64_t more, std::uint64_t less) -> std::optional<double> {
    if (more <= less) return {};  // something else freed more: unknown
    return static_cast<double>(more - less) / static_cast<double>(connections_);
  };
  result_.process_bytes_per_connection = each(in_use->process_bytes, at_rest_->process_bytes);
  result_.kernel_bytes_per_connection = each(in_use->kernel_bytes, at_rest_->kernel_bytes);
}

void CountingWatch::at(Phase phase, pid_t) {
  if (phase == Phase::connected) counts_ = count_at_rest();
  if (phase != Phase::drained) return;
  const auto end = count_at_rest();
  if (counts_ && end) result_.counts = *end - *counts_;
}

// The server may still be accepting, or on its way back to its wait.
std::optional<SyscallCounts> CountingWatch::count_at_rest() {
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

CpuSample cpu_at_rest(const ServerUsage& usage, pid_t server, Nanoseconds patience) {
  constexpr auto kPause = std::chrono::microseconds(150);
  constexpr int kQuietPauses = 2;
  const auto deadline = Clock::now() + patience;
  CpuSample sample = usage.cpu();
  for (int quiet = 0; quiet < kQuietPauses && Clock::now() < deadline;) {
    std::this_thread::sleep_for(kPause);
    CpuSample now = usage.cpu();
    // The kernel books a running thread's time when it stops, or at its next tick.
    const auto stat = read_stat(server);
    const bool runs = stat && stat->state == 'R';
    quiet = now.total == sample.total && !runs ? quiet + 1 : 0;
    sample = std::move(now);
  }
  return sample;
}

}  // namespace muxbench
