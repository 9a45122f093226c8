#include "system/cpu_quota.h"

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "system/cgroup.h"

namespace muxbench {
namespace {

// v2, cpu.max: "150000 100000" or "max 100000", in microseconds.
std::optional<CpuQuota> quota_of_v2(const std::string& folder) {
  const std::string file = folder + "/cpu.max";
  std::ifstream stream(file);
  double quota = 0;
  double period = 0;
  if (!(stream >> quota >> period) || period <= 0) return {};
  return CpuQuota{quota / period, file};
}

// v1: the quota is -1 where there is none.
std::optional<CpuQuota> quota_of_v1(const std::string& folder) {
  const std::string file = folder + "/cpu.cfs_quota_us";
  double quota = 0;
  double period = 0;
  if (!(std::ifstream(file) >> quota) || quota <= 0) return {};
  if (!(std::ifstream(folder + "/cpu.cfs_period_us") >> period) || period <= 0) return {};
  return CpuQuota{quota / period, file};
}

std::uint64_t throttled_in(const std::string& folder) {
  std::ifstream stat(folder + "/cpu.stat");
  std::string key;
  for (std::uint64_t value = 0; stat >> key >> value;) {
    if (key == "nr_throttled") return value;
  }
  return 0;
}

}  // namespace

CpuQuotas CpuQuotas::of_this_process() {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto membership = read_file("/proc/self/cgroup");
  if (!mountinfo || !membership) return {"", ""};
  return {*mountinfo, *membership};
}

CpuQuotas::CpuQuotas(const std::string& mountinfo, const std::string& membership) {
  const auto add = [&](const std::string& controller, auto quota_of) {
    for (const std::string& folder : own_groups(mountinfo, membership, controller)) {
      if (auto quota = quota_of(folder)) groups_.push_back({std::move(*quota), folder});
    }
  };
  add(kUnified, quota_of_v2);
  add("cpu", quota_of_v1);
}

std::optional<CpuQuota> CpuQuotas::smallest() const {
  const auto found = std::min_element(
      groups_.begin(), groups_.end(),
      [](const Limited& a, const Limited& b) { return a.quota.cpus < b.quota.cpus; });
  if (found == groups_.end()) return {};
  return found->quota;
}

std::uint64_t CpuQuotas::throttled_periods() const {
  std::uint64_t sum = 0;
  for (const Limited& group : groups_) sum += throttled_in(group.folder);
  return sum;
}

}  // namespace muxbench
