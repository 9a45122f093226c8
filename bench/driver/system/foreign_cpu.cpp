#include "system/foreign_cpu.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/file.h"
#include "system/cgroup.h"

namespace muxbench {
namespace {

constexpr const char* kSchedstat = "/proc/schedstat";

bool has(const std::vector<int>& cpus, int cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

}  // namespace

Nanoseconds sum_of_cpuacct(const std::string& text, const std::vector<int>& cpus) {
  std::istringstream numbers(text);
  Nanoseconds sum{};
  Nanoseconds::rep used = 0;
  for (int cpu = 0; numbers >> used; ++cpu) {
    if (has(cpus, cpu)) sum += Nanoseconds(used);
  }
  return sum;
}

Nanoseconds sum_of_schedstat(const std::string& text, const std::vector<int>& cpus) {
  std::istringstream lines(text);
  Nanoseconds sum{};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("cpu")) continue;
    int cpu = -1;
    std::from_chars(line.data() + 3, line.data() + line.size(), cpu);
    if (!has(cpus, cpu)) continue;
    std::istringstream fields(line);
    std::string skipped;
    constexpr int kBefore = 7;
    for (int i = 0; i < kBefore; ++i) fields >> skipped;
    Nanoseconds::rep running = 0;
    if (fields >> running) sum += Nanoseconds(running);
  }
  return sum;
}

Result<ForeignCpu> ForeignCpu::open() {
  if (const auto mountinfo = read_file("/proc/self/mountinfo")) {
    if (const auto root = cpuacct_root(*mountinfo)) {
      std::string path = *root + "/cpuacct.usage_percpu";
      if (read_file(path)) return ForeignCpu(Source::cpuacct, std::move(path));
    }
  }
  if (const auto text = read_file(kSchedstat); text && text->find("cpu0 ") != std::string::npos) {
    return ForeignCpu(Source::schedstat, kSchedstat);
  }
  return make_error(
      "there is neither the cpuacct controller of cgroup v1 nor /proc/schedstat "
      "(CONFIG_SCHEDSTATS)");
}

Nanoseconds ForeignCpu::used(const std::vector<int>& cpus) const {
  const auto text = read_file(path_);
  if (!text) return {};
  return source_ == Source::cpuacct ? sum_of_cpuacct(*text, cpus) : sum_of_schedstat(*text, cpus);
}

}  // namespace muxbench
