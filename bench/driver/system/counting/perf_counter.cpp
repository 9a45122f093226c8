// The second and third backend: perf events on tracepoints, restricted to the cgroup (one for each CPU)
// or to the server's threads and what they start (one for each thread). An event counts and keeps
// nothing else, so only what a filter can tell apart is known: calls by name, EAGAIN results, other
// failures of accept, voluntary switches. The names are a list, because each takes descriptors.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/parse.h"
#include "system/counting/syscall_counter.h"
#include "system/counting/trace_events.h"
#include "system/host_files.h"
#include "system/process_tree.h"

namespace muxbench {
namespace {

// EAGAIN is an answer of these.
constexpr std::array kAsking{"read",     "write",   "readv",           "writev",        "recvfrom",
                             "sendto",   "recvmsg", "sendmsg",         "accept",        "accept4",
                             "sendfile", "futex",   "rt_sigtimedwait", "io_uring_enter"};
// Their failures are told as well, so that what succeeded is known to be the connections. They are
// rare: elsewhere one more filter would slow each call.
bool accepts(std::string_view name) { return name == "accept" || name == "accept4"; }
constexpr std::array kOthers{
    "epoll_wait",   "epoll_pwait",    "epoll_ctl",       "poll",         "ppoll",
    "select",       "pselect6",       "io_submit",       "io_getevents", "io_pgetevents",
    "close",        "shutdown",       "clone",           "clone3",       "fork",
    "vfork",        "execve",         "wait4",           "waitid",       "getppid",
    "rt_sigreturn", "rt_sigprocmask", "rt_sigaction",    "fcntl",        "setsockopt",
    "getsockopt",   "socket",         "timerfd_settime", "signalfd4",    "exit_group"};

// Whom an event counts, as perf_event_open(2) takes it.
struct Scope {
  int pid;  // a thread, or the descriptor of a cgroup
  int cpu;
};

Error cannot_open(bool inherit) {
  const int code = errno;
  const char* const who = inherit ? "the server's threads" : "the cgroup";
  if (code == EMFILE) {
    return make_error("perf events of {} need more descriptors; raise the hard limit (ulimit -Hn)",
                      who);
  }
  const std::string paranoid = first_line("/proc/sys/kernel/perf_event_paranoid");
  return make_error(
      "perf events of {} cannot be opened: {}, and kernel.perf_event_paranoid is {}; run as root, "
      "or with CAP_PERFMON{}",
      who, describe(Errno{code}), paranoid,
      inherit ? ", or let root set kernel.perf_event_paranoid to 1" : "");
}

// One event in every scope; its count is the sum.
class Event {
 public:
  static Result<Event> open(std::uint64_t tracepoint, const char* filter,
                            const std::vector<Scope>& scopes, bool inherit) {
    Event event;
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.size = sizeof attributes;
    attributes.config = tracepoint;
    attributes.inherit = inherit;
    const unsigned long flags = PERF_FLAG_FD_CLOEXEC | (inherit ? 0 : PERF_FLAG_PID_CGROUP);
    for (const Scope& scope : scopes) {
      UniqueFd fd(static_cast<int>(
          ::syscall(SYS_perf_event_open, &attributes, scope.pid, scope.cpu, -1, flags)));
      const bool good =
          fd && (filter == nullptr || ::ioctl(fd.get(), PERF_EVENT_IOC_SET_FILTER, filter) == 0);
      if (!good) return cannot_open(inherit);
      event.fds_.push_back(std::move(fd));
    }
    return event;
  }

  Result<std::uint64_t> read() const {
    std::uint64_t sum = 0;
    for (const UniqueFd& fd : fds_) {
      std::uint64_t value = 0;
      if (::read(fd.get(), &value, sizeof value) != sizeof value) {
        return make_error("a perf event cannot be read: {}", describe(last_errno()));
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
  PerfCounter(TraceEvents tracepoints, std::vector<int> cpus, bool inherit)
      : tracepoints_(std::move(tracepoints)), cpus_(std::move(cpus)), inherit_(inherit) {}

  const char* backend() const noexcept override { return inherit_ ? "inherit" : "perf"; }

  Result<> watch(const WatchedProcesses& processes) override {
    if (inherit_) return watch_threads(processes.root);
    const Cgroup* group = processes.cgroup;
    if (group == nullptr || group->kind() != CgroupKind::v2) {
      return make_error(
          "perf events count a cgroup v2, and no such group can be made here; run as root with one "
          "mounted (mount -t cgroup2 none DIR), or in a group that systemd delegates to you");
    }
    scopes_.clear();
    for (const int cpu : cpus_) scopes_.push_back({group->directory_fd(), cpu});
    return open_all();
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
      if (call.failed) count.errors = value(*call.failed);
      if (count.calls > 0 || count.again.value_or(0) > 0) counts.calls[call.name] = count;
    }
    if (!good) return good.error();
    return counts;
  }

  // The kernel waits for a grace period whenever the last event of a tracepoint is closed, some 40 ms
  // for each of 60 tracepoints. So the events of one server are closed when those of the next are open.
  void stop() noexcept override {
    for (Call& call : calls_) {
      ended_.push_back(std::move(call.entered));
      for (auto* event : {&call.again, &call.failed}) {
        if (*event) ended_.push_back(std::move(**event));
      }
    }
    calls_.clear();
    for (auto* event : {&total_, &switches_, &voluntary_}) {
      if (*event) ended_.push_back(std::move(**event));
      event->reset();
    }
  }

  void release() noexcept override {
    stop();
    ended_.clear();
  }

 private:
  struct Call {
    std::string name;
    Event entered;
    std::optional<Event> again;
    std::optional<Event> failed;  // otherwise than with EAGAIN
  };

  // A thread that an unwatched one starts meanwhile would be missed: then all begins again.
  Result<> watch_threads(pid_t root) {
    constexpr int kAttempts = 10;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const auto threads = threads_of(process_tree(root));
      scopes_.clear();
      for (const pid_t thread : threads) scopes_.push_back({thread, -1});
      auto opened = open_all();
      if (!opened) {  // perhaps for want of the descriptors that those of earlier servers have
        release();
        opened = open_all();
      }
      const bool unchanged = threads_of(process_tree(root)) == threads;
      if (opened && unchanged) return {};
      if (!opened && (unchanged || attempt + 1 == kAttempts)) {
        release();  // the next server has fewer threads, perhaps
        return opened;
      }
    }
    return make_error("the server's threads came and went faster than they could be watched");
  }

  Result<> open_all() {
    stop();
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
    ended_.clear();
    return {};
  }

  Result<Event> open(const std::string& event, const char* filter) const {
    const auto id = tracepoints_.id(event);
    if (!id) return id.error();
    return Event::open(*id, filter, scopes_, inherit_);
  }

  Result<> add(const std::string& name, bool asks) {
    if (!tracepoints_.id("syscalls/sys_enter_" + name)) return {};  // not on this architecture
    auto entered = open("syscalls/sys_enter_" + name, nullptr);
    if (!entered) return entered.error();
    Call call{name, std::move(*entered), {}, {}};
    const auto open_exit = [&](const char* filter, std::optional<Event>& into) -> Result<> {
      auto opened = open("syscalls/sys_exit_" + name, filter);
      if (!opened) return opened.error();
      into = std::move(*opened);
      return {};
    };
    if (asks) {
      if (auto opened = open_exit("ret == -11", call.again); !opened) return opened;
    }
    if (accepts(name)) {
      if (auto opened = open_exit("ret < 0 && ret != -11", call.failed); !opened) return opened;
    }
    calls_.push_back(std::move(call));
    return {};
  }

  TraceEvents tracepoints_;
  std::vector<int> cpus_;
  bool inherit_;
  std::vector<Scope> scopes_;
  std::optional<Event> total_;
  std::optional<Event> switches_;
  std::optional<Event> voluntary_;
  std::vector<Call> calls_;
  std::vector<Event> ended_;  // of the server before
};

Result<std::unique_ptr<SyscallCounter>> open_counter(bool inherit) {
  auto tracepoints = TraceEvents::open();
  if (!tracepoints) return tracepoints.error();
  const auto online = read_file("/sys/devices/system/cpu/online");
  if (!online) return online.error();
  auto cpus = parse_cpu_list(online->substr(0, online->find('\n')));
  if (!cpus) return cpus.error();
  return std::unique_ptr<SyscallCounter>(
      new PerfCounter(std::move(*tracepoints), std::move(*cpus), inherit));
}

}  // namespace

Result<std::unique_ptr<SyscallCounter>> open_perf_counter() { return open_counter(false); }

Result<std::unique_ptr<SyscallCounter>> open_inherit_counter() { return open_counter(true); }

}  // namespace muxbench
