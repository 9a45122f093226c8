// What a process or thread has used so far, from getrusage(2).
#pragma once

#include <sys/types.h>

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
  friend CpuTime operator-(CpuTime a, CpuTime b) noexcept {
    return {a.user - b.user, a.system - b.system};
  }
};

CpuTime thread_cpu_time() noexcept;   // the calling thread (RUSAGE_THREAD)
CpuTime process_cpu_time() noexcept;  // this process, all threads (RUSAGE_SELF)

// The highest resident set so far, VmHWM of proc(5), of a process or of the calling one. It starts
// anew at execve(2), whereas getrusage's ru_maxrss keeps what the program before it had.
std::optional<std::uint64_t> peak_resident_bytes(pid_t pid = 0);

}  // namespace muxbench
