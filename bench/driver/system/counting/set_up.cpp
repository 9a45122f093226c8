// Which backend counts here: the first that opens and passes its self-test.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "system/counting/syscall_counter.h"

namespace muxbench {
namespace {

constexpr std::uint64_t kCalls = 1000;

// It joins the group, if there is one, and begins when it is told to, so that all its calls after
// that are counted. Half of them are made by a process that it starts then.
[[noreturn]] void make_calls(int procs, int start) noexcept {
  char go = 0;
  if (procs >= 0 && ::write(procs, "0", 1) != 1) ::_exit(1);
  if (::read(start, &go, 1) != 1) ::_exit(1);
  const auto half = [] {
    for (std::uint64_t i = 0; i < kCalls / 2; ++i) ::syscall(SYS_getppid);
  };
  const pid_t other = ::fork();
  if (other < 0) ::_exit(1);
  half();
  int status = 0;
  if (other > 0 && ::waitpid(other, &status, 0) != other) ::_exit(1);
  ::_exit(status == 0 ? 0 : 1);
}

template <typename Number>
std::optional<Number> difference(const std::optional<Number>& end,
                                 const std::optional<Number>& begin) {
  if (!end) return {};
  return *end - begin.value_or(0);
}

}  // namespace

SyscallCounts operator-(const SyscallCounts& end, const SyscallCounts& begin) {
  SyscallCounts delta = end;
  delta.total_calls -= begin.total_calls;
  delta.voluntary_switches -= begin.voluntary_switches;
  delta.involuntary_switches -= begin.involuntary_switches;
  delta.ring_completions = difference(end.ring_completions, begin.ring_completions);
  delta.calls.clear();
  for (const auto& [name, after] : end.calls) {
    const auto found = begin.calls.find(name);
    const SyscallCount before = found == begin.calls.end() ? SyscallCount{} : found->second;
    const SyscallCount count{.calls = after.calls - before.calls,
                             .again = difference(after.again, before.again),
                             .errors = difference(after.errors, before.errors),
                             .result_sum = difference(after.result_sum, before.result_sum)};
    const bool silent = count.calls == 0 && count.again.value_or(0) == 0 &&
                        count.errors.value_or(0) == 0 && count.result_sum.value_or(0) == 0;
    if (!silent) delta.calls[name] = count;
  }
  if (!delta.ring_operations || !begin.ring_operations) return delta;
  for (const auto& [name, before] : *begin.ring_operations)
    (*delta.ring_operations)[name] -= before;
  std::erase_if(*delta.ring_operations, [](const auto& entry) { return entry.second == 0; });
  return delta;
}

std::uint64_t SyscallCounts::work_done() const noexcept {
  std::uint64_t sum = ring_completions.value_or(0);
  for (const auto& [name, call] : calls) {
    // A wait's results are known only by their sum; calls on sockets count by themselves.
    if (name.find("poll") != std::string::npos || name.find("select") != std::string::npos) {
      sum += call.result_sum.value_or(0);
    } else if (name != "io_uring_enter" && name != "futex") {
      sum += call.calls - std::min(call.calls, call.again.value_or(0) + call.errors.value_or(0));
    }
  }
  return sum;
}

Result<SelfTest> test_counter(SyscallCounter& counter) {
  const auto group = Cgroup::make();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return make_error("no pipe: {}", describe(last_errno()));
  const UniqueFd start(ends[0]);
  UniqueFd go(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    go.reset();  // else its end would never come, should the driver go away
    make_calls(group ? group->procs_fd() : -1, start.get());
  }
  if (child < 0) return make_error("cannot fork: {}", describe(last_errno()));
  const auto watching = counter.watch({group ? &*group : nullptr, child});
  if (watching) {
    [[maybe_unused]] const auto told = ::write(go.get(), "g", 1);
  }
  go.reset();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!watching) return watching.error();
  const auto counts = counter.read();
  counter.stop();
  if (!counts) return counts.error();
  if (status != 0)
    return make_error("the self-test's child could not join its cgroup or start a child");
  const auto found = counts->calls.find("getppid");
  return SelfTest{kCalls, found == counts->calls.end() ? 0 : found->second.calls};
}

TriedBackend check_backend(const std::string& name,
                           Result<std::unique_ptr<SyscallCounter>> opened) {
  TriedBackend tried{.backend = {.name = name, .reason = {}, .self_test = {}}, .counter = nullptr};
  if (!opened) {
    tried.backend.reason = opened.error().message;
    return tried;
  }
  const auto tested = test_counter(**opened);
  if (!tested) {
    tried.backend.reason = tested.error().message;
    return tried;
  }
  tried.backend.self_test = *tested;
  if (tested->passed()) {
    tried.counter = std::move(*opened);
  } else {
    tried.backend.reason = fmt::format("it counted {} of the {} calls of its self-test",
                                       tested->counted, tested->expected);
  }
  return tried;
}

TriedBackend try_backend(const std::string& name) {
  if (name == "bpf") return check_backend(name, open_bpf_counter());
  if (name == "perf") return check_backend(name, open_perf_counter());
  return check_backend(name, open_inherit_counter());
}

CountingSetup set_up_counting() {
  CountingSetup setup;
  for (const char* name : kCountingBackends) {
    TriedBackend tried = try_backend(name);
    setup.backends.push_back(std::move(tried.backend));
    setup.counter = std::move(tried.counter);
    if (setup.counter) break;
  }
  return setup;
}

}  // namespace muxbench
