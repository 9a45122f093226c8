// What a process or thread has used so far, from getrusage(2).
#pragma once

#include <cstdint>

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

std::uint64_t
peak_memory_bytes() noexcept;  // this process's highest resident set so far (ru_maxrss)

}  // namespace muxbench
