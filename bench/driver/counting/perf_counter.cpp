// The second rung: perf events on tracepoints, restricted to the cgroup, one for each CPU. An event
// counts and keeps nothing else, so only what a filter can tell apart is known: calls by name,
// EAGAIN results, voluntary switches. The names are a list, because each takes descriptors.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/parse.h"
#include "driver/counting/syscall_counter.h"
#include "driver/counting/trace_events.h"
#include "driver/json_reader.h"

namespace muxbench {
namespace {

// EAGAIN is an answer of these.
constexpr std::array kAsking{"read",     "write",   "readv",           "writev",        "recvfrom",
                             "sendto",   "recvmsg", "sendmsg",         "accept",        "accept4",
                             "sendfile", "futex",   "rt_sigtimedwait", "io_uring_enter"};
constexpr std::array kOthers{
    "epoll_wait",   "epoll_pwait",    "epoll_ctl",       "poll",         "ppoll",
    "select",       "pselect6",       "io_submit",       "io_getevents", "io_pgetevents",
    "close",        "shutdown",       "clone",           "clone3",       "fork",
    "vfork",        "execve",         "wait4",           "waitid",       "getppid",
    "rt_sigreturn", "rt_sigprocmask", "rt_sigaction",    "fcntl",        "setsockopt",
    "getsockopt",   "socket",         "timerfd_settime", "signalfd4",    "exit_group"};

// One event on every CPU; its count is the sum.
class Event {
 public:
  static Result<Event> open(std::uint64_t tracepoint, const char* filter, int group,
                            const std::vector<int>& cpus) {
    Event event;
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.size = sizeof attributes;
    attributes.config = tracepoint;
    for (const int cpu : cpus) {
      UniqueFd fd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, group, cpu, -1,
                                             PERF_FLAG_PID_CGROUP | PERF_FLAG_FD_CLOEXEC)));
      const bool good =
          fd && (filter == nullptr || ::ioctl(fd.get(), PERF_EVENT_IOC_SET_FILTER, filter) == 0);
      if (!good) {
        return fail(
            "perf events of the cgroup cannot be opened: {}; run as root (CAP_PERFMON), with "
            "enough descriptors (ulimit -n)",
            describe(last_errno()));
      }
      event.fds_.push_back(std::move(fd));
    }
    return event;
  }

  Result<std::uint64_t> read() const {
    std::uint64_t sum = 0;
    for (const UniqueFd& fd : fds_) {
      std::uint64_t value = 0;
      if (::read(fd.get(), &value, sizeof value) != sizeof value) {
        return fail("a perf event cannot be read: {}", describe(last_errno()));
      }
      sum += value;
    }
    return sum;
  }

 private:
  std::vector<UniqueFd> fds_;
};

class PerfCounter final : public SyscallCounter {
 public:
  PerfCounter(TraceEvents tracepoints, std::vector<int> cpus)
      : tracepoints_(std::move(tracepoints)), cpus_(std::move(cpus)) {}

  const char* rung() const noexcept override { return "perf"; }

  Result<> watch(const Cgroup& group) override {
    stop();
    group_ = group.directory_fd();
    for (const auto& [event, filter, into] :
         {std::tuple{"raw_syscalls/sys_enter", static_cast<const char*>(nullptr), &total_},
          std::tuple{"sched/sched_switch", static_cast<const char*>(nullptr), &switches_},
          // The tracepoint's prev_state is 0 for a runnable task and 256 for a preempted one.
          std::tuple{"sched/sched_switch", "prev_state & 255", &voluntary_}}) {
      auto opened = open(event, filter);
      if (!opened) return opened.error();
      into->emplace(std::move(*opened));
    }
    for (const char* name : kAsking) {
      if (auto added = add(name, true); !added) return added;
    }
    for (const char* name : kOthers) {
      if (auto added = add(name, false); !added) return added;
    }
    return {};
  }

  Result<SyscallCounts> read() const override {
    SyscallCounts counts;
    Result<> good;
    const auto value = [&](const Event& event) {
      const auto count = event.read();
      if (!count) good = count.error();
      return count ? *count : 0;
    };
    counts.total_calls = value(*total_);
    const std::uint64_t switches = value(*switches_);
    counts.voluntary_switches = value(*voluntary_);
    counts.involuntary_switches = switches - std::min(switches, counts.voluntary_switches);
    for (const Call& call : calls_) {
      SyscallCount count;
      count.calls = value(call.entered);
      if (call.again) count.again = value(*call.again);
      if (count.calls > 0 || count.again.value_or(0) > 0) counts.calls[call.name] = count;
    }
    if (!good) return good.error();
    return counts;
  }

  void stop() noexcept override {
    calls_.clear();
    for (auto* event : {&total_, &switches_, &voluntary_}) event->reset();
  }

 private:
  struct Call {
    std::string name;
    Event entered;
    std::optional<Event> again;
  };

  Result<Event> open(const std::string& event, const char* filter) const {
    const auto id = tracepoints_.id(event);
    if (!id) return id.error();
    return Event::open(*id, filter, group_, cpus_);
  }

  Result<> add(const std::string& name, bool asks) {
    if (!tracepoints_.id("syscalls/sys_enter_" + name)) return {};  // not on this architecture
    auto entered = open("syscalls/sys_enter_" + name, nullptr);
    if (!entered) return entered.error();
    Call call{name, std::move(*entered), {}};
    if (asks) {
      auto again = open("syscalls/sys_exit_" + name, "ret == -11");
      if (!again) return again.error();
      call.again = std::move(*again);
    }
    calls_.push_back(std::move(call));
    return {};
  }

  TraceEvents tracepoints_;
  std::vector<int> cpus_;
  int group_ = -1;
  std::optional<Event> total_;
  std::optional<Event> switches_;
  std::optional<Event> voluntary_;
  std::vector<Call> calls_;
};

}  // namespace

Result<std::unique_ptr<SyscallCounter>> open_perf_counter() {
  auto tracepoints = TraceEvents::open();
  if (!tracepoints) return tracepoints.error();
  const auto online = read_file("/sys/devices/system/cpu/online");
  if (!online) return online.error();
  auto cpus = parse_cpu_list(online->substr(0, online->find('\n')));
  if (!cpus) return cpus.error();
  return std::unique_ptr<SyscallCounter>(
      new PerfCounter(std::move(*tracepoints), std::move(*cpus)));
}

}  // namespace muxbench
