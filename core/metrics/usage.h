// What a process or thread has used so far: exact from its CPU clock, and divided into user and system
// as getrusage(2) has it, whose sum lags behind by up to a tick while the thread runs.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace muxbench {

struct CpuTime {
  Nanoseconds user{};
  Nanoseconds system{};
  Nanoseconds total() const noexcept { return user + system; }

  friend CpuTime operator+(CpuTime a, CpuTime b) noexcept {
    return {a.user + b.user, a.system + b.system};
  }
  // The total is exact. The kernel divides it anew at every reading, so that either part may step
  // back a little.
  friend CpuTime operator-(CpuTime a, CpuTime b) noexcept {
    const Nanoseconds total = std::max(a.total() - b.total(), Nanoseconds(0));
    const Nanoseconds user = std::clamp(a.user - b.user, Nanoseconds(0), total);
    return {user, total - user};
  }
};

CpuTime thread_cpu_time() noexcept;   // the calling thread (RUSAGE_THREAD)
CpuTime process_cpu_time() noexcept;  // this process, all threads (RUSAGE_SELF)

// The highest resident set so far, VmHWM of proc(5), of a process or of the calling one. It starts
// anew at execve(2), whereas getrusage's ru_maxrss keeps what the program before it had.
std::optional<std::uint64_t> peak_resident_bytes(pid_t pid = 0);

}  // namespace muxbench
