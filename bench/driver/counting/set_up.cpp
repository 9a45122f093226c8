// Which rung counts here: the first that opens and passes its self-test.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "driver/counting/syscall_counter.h"

namespace muxbench {
namespace {

constexpr std::uint64_t kCalls = 1000;

// The child joins the group by itself, so that all its calls after that are the group's.
void make_calls(int procs) noexcept {
  if (::write(procs, "0", 1) != 1) ::_exit(1);
  for (std::uint64_t i = 0; i < kCalls; ++i) ::syscall(SYS_getppid);
  ::_exit(0);
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
  if (!group) return group.error();
  if (auto watching = counter.watch(*group); !watching) return watching.error();
  const pid_t child = ::fork();
  if (child == 0) make_calls(group->procs_fd());
  if (child < 0) return fail("cannot fork: {}", describe(last_errno()));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const auto counts = counter.read();
  counter.stop();
  if (!counts) return counts.error();
  if (status != 0) return fail("the self-test's child could not join its cgroup");
  const auto found = counts->calls.find("getppid");
  return SelfTest{kCalls, found == counts->calls.end() ? 0 : found->second.calls};
}

TriedRung try_rung(const std::string& name) {
  TriedRung tried{.rung = {.name = name, .reason = {}, .self_test = {}}, .counter = nullptr};
  auto counter = name == "bpf" ? open_bpf_counter() : open_perf_counter();
  if (!counter) {
    tried.rung.reason = counter.error().message;
    return tried;
  }
  const auto tested = test_counter(**counter);
  if (!tested) {
    tried.rung.reason = tested.error().message;
    return tried;
  }
  tried.rung.self_test = *tested;
  if (tested->passed()) {
    tried.counter = std::move(*counter);
  } else {
    tried.rung.reason = fmt::format("it counted {} of the {} calls of its self-test",
                                    tested->counted, tested->expected);
  }
  return tried;
}

CountingSetup set_up_counting() {
  CountingSetup setup;
  for (const char* name : kRungs) {
    TriedRung tried = try_rung(name);
    setup.rungs.push_back(std::move(tried.rung));
    setup.counter = std::move(tried.counter);
    if (setup.counter) break;
  }
  return setup;
}

}  // namespace muxbench
