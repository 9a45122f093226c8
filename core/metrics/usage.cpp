#include "metrics/usage.h"

#include <sys/resource.h>

#include <fstream>
#include <string>

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

std::optional<std::uint64_t> peak_resident_bytes(pid_t pid) {
  std::ifstream status(pid == 0 ? "/proc/self/status" : "/proc/" + std::to_string(pid) + "/status");
  constexpr std::string_view kKey = "VmHWM:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kKey)) return std::stoull(line.substr(kKey.size())) * 1024;
  }
  return {};
}

}  // namespace muxbench
