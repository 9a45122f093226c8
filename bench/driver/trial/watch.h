// What is read of a server while it is under load, at the phases that the load generator announces.
#pragma once

#include <optional>

#include "system/counting/syscall_counter.h"
#include "system/server_usage.h"
#include "trial/load_session.h"
#include "trial/trial.h"

namespace muxbench {

class Watch {
 public:
  virtual ~Watch() = default;
  virtual void before_load() {}
  virtual void at(Phase phase, pid_t load) = 0;
};

// CPU time at both edges of the measured window, and memory.
class UsageWatch final : public Watch {
 public:
  UsageWatch(ServerUsage usage, const TrialSetup& setup, TrialResult& result);
  void before_load() override;
  void at(Phase phase, pid_t load) override;
  // What connections cost, while all are open. In a round it is read before the next server opens
  // its own: the kernel's memory is that of the whole machine.
  void divide_memory();
  void read_memory();

 private:
  void begin(pid_t load);
  void end(pid_t load);
  std::optional<Nanoseconds> server_waited() const;

  ServerUsage usage_;
  const CpuQuotas* quotas_;
  bool crosses_device_;  // and its packets leave loopback
  bool local_load_;      // and not that of other hosts, of which we have the launcher alone
  std::uint64_t connections_;
  bool lasting_;  // they last as long as the load does, and do not carry one request each
  TrialResult& result_;
  std::optional<CpuSample> cpu_;
  std::optional<Nanoseconds> softirq_;
  // A process per connection may have ended by the time that `drained` is read, so the few
  // processes of a small point are read before, too, and the larger counts.
  std::optional<MemorySample> memory_;
  std::optional<MemoryInUse> at_rest_;
  std::optional<Nanoseconds> waited_;
  std::optional<Nanoseconds> server_waited_;
  std::uint64_t throttled_ = 0;
};

// System calls, read before the load's first request and after its last answer: while both sides
// are at rest, so that what was counted is exactly what those requests took.
class CountingWatch final : public Watch {
 public:
  CountingWatch(ServerUsage usage, const SyscallCounter& counter, TrialResult& result)
      : usage_(usage), counter_(counter), result_(result) {}
  void at(Phase phase, pid_t load) override;

 private:
  std::optional<SyscallCounts> count_at_rest();

  ServerUsage usage_;
  const SyscallCounter& counter_;
  TrialResult& result_;
  std::optional<SyscallCounts> counts_;
};

// CPU time once the server does nothing any more, by its CPU time standing still: some work on for
// milliseconds after their last answer. At the end of the patience what it is then.
CpuSample cpu_at_rest(const ServerUsage& usage, pid_t server, Nanoseconds patience);

}  // namespace muxbench
