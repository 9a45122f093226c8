#include "metrics/usage.h"

#include <sys/resource.h>

#include <ctime>

#include <fstream>
#include <string>

namespace muxbench {
namespace {

Nanoseconds read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

CpuTime cpu_time_of(int who, clockid_t clock) noexcept {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto nanoseconds = [](const timeval& time) {
    return Nanoseconds(std::chrono::seconds(time.tv_sec)) + std::chrono::microseconds(time.tv_usec);
  };
  const auto user = nanoseconds(usage.ru_utime);
  const auto both = user + nanoseconds(usage.ru_stime);
  const Nanoseconds total = read_clock(clock);
  if (both.count() == 0) return {total, Nanoseconds(0)};
  const double share = static_cast<double>(user.count()) / static_cast<double>(both.count());
  const Nanoseconds part(static_cast<Nanoseconds::rep>(share * static_cast<double>(total.count())));
  return {part, total - part};
}

}  // namespace

CpuTime thread_cpu_time() noexcept { return cpu_time_of(RUSAGE_THREAD, CLOCK_THREAD_CPUTIME_ID); }
CpuTime process_cpu_time() noexcept { return cpu_time_of(RUSAGE_SELF, CLOCK_PROCESS_CPUTIME_ID); }

std::optional<std::uint64_t> peak_resident_bytes(pid_t pid) {
  std::ifstream status(pid == 0 ? "/proc/self/status" : "/proc/" + std::to_string(pid) + "/status");
  constexpr std::string_view kKey = "VmHWM:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kKey)) return std::stoull(line.substr(kKey.size())) * 1024;
  }
  return {};
}

}  // namespace muxbench
