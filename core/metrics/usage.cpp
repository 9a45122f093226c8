#include "metrics/usage.h"

#include <sys/resource.h>

namespace muxbench {
namespace {

CpuTime cpu_time_of(int who) noexcept {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto nanoseconds = [](const timeval& time) {
    return Nanoseconds(std::chrono::seconds(time.tv_sec)) + std::chrono::microseconds(time.tv_usec);
  };
  return {nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime)};
}

}  // namespace

CpuTime thread_cpu_time() noexcept { return cpu_time_of(RUSAGE_THREAD); }
CpuTime process_cpu_time() noexcept { return cpu_time_of(RUSAGE_SELF); }

std::uint64_t peak_memory_bytes() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace muxbench
