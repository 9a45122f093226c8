// Counting what a server asks of the kernel, without slowing it as a tracer would. There are three
// ways (backends), tried in this order:
//   bpf      programs at raw tracepoints, filtered by cgroup v2: everything below
//   perf     perf_event_open(2) on the tracepoints of the calls that servers make, by cgroup v2:
//            calls, EAGAIN results, other errors of accept, and context switches, but no sums of
//            results and nothing of io_uring
//   inherit  the same on each thread that the server has, inherited by those that it starts: for
//            where there is no cgroup v2, and for ordinary users that may use perf events
// Each is believed only after it has counted a child that makes exactly 1,000 getppid calls. Where
// neither works nothing is reported: a count that is unknown is absent, never 0.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "system/cgroup.h"

namespace muxbench {

struct SyscallCount {
  std::uint64_t calls = 0;
  std::optional<std::uint64_t> again;   // results that were EAGAIN
  std::optional<std::uint64_t> errors;  // other errors
  std::optional<std::uint64_t>
      result_sum;  // of positive results, where those are numbers of bytes,
                   // events or operations
};

struct SyscallCounts {
  std::map<std::string, SyscallCount> calls;  // by name; those that were made
  std::uint64_t total_calls = 0;              // all, also of the calls that are not in the list
  std::optional<std::map<std::string, std::uint64_t>> ring_operations;  // submitted, by name
  std::optional<std::uint64_t> ring_completions;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;

  // Grows while a server does something: calls that succeeded, and completions. A server that only
  // asks in vain (EAGAIN, a wait that found nothing) is at rest.
  std::uint64_t work_done() const noexcept;
};

SyscallCounts operator-(const SyscallCounts& end, const SyscallCounts& begin);

// A server's processes: those of its cgroup, where there is one, else those below `root`.
struct WatchedProcesses {
  const Cgroup* cgroup = nullptr;
  pid_t root = -1;
};

// Counts the processes of one server at a time.
class SyscallCounter {
 public:
  virtual ~SyscallCounter() = default;
  virtual const char* backend() const noexcept = 0;
  // From here on these processes are counted, until stop(). What the kernel does for it may go on
  // until release(), which is for before anything is timed.
  virtual Result<> watch(const WatchedProcesses& processes) = 0;
  virtual Result<SyscallCounts> read() const = 0;
  virtual void stop() noexcept = 0;
  virtual void release() noexcept { stop(); }
};

// Each gives the reason and the remedy where it cannot work.
Result<std::unique_ptr<SyscallCounter>> open_bpf_counter();
Result<std::unique_ptr<SyscallCounter>> open_perf_counter();
Result<std::unique_ptr<SyscallCounter>> open_inherit_counter();

struct SelfTest {
  std::uint64_t expected = 0;
  std::uint64_t counted = 0;
  bool passed() const noexcept { return counted == expected; }
};

// Counts the getppid calls of a child and a grandchild that make exactly 1,000.
Result<SelfTest> test_counter(SyscallCounter& counter);

struct CountingBackend {
  std::string name;
  std::string reason;  // why it is not used; empty for the one that is
  std::optional<SelfTest> self_test;
};

inline constexpr std::array kCountingBackends{"bpf", "perf", "inherit"};

struct TriedBackend {
  CountingBackend backend;
  std::unique_ptr<SyscallCounter> counter;  // nothing if it does not work
};
// Opened, and self-tested; a counter that is off by one call is not kept.
TriedBackend check_backend(const std::string& name, Result<std::unique_ptr<SyscallCounter>> opened);
TriedBackend try_backend(const std::string& name);

struct CountingSetup {
  std::unique_ptr<SyscallCounter> counter;  // none: nothing can be counted here
  std::vector<CountingBackend> backends;    // those that were tried, in their order
};

CountingSetup set_up_counting();

}  // namespace muxbench
