// The CPU time that a container or service may use (CPU quota of its cgroups). Once it is used up, all its
// processes stand still until the next period: then the quota is measured, and no server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace muxbench {

struct CpuQuota {
  double cpus = 0;   // CPU time in each period, over its length
  std::string file;  // that sets it
};

class CpuQuotas {
 public:
  // Of the groups that this process is in, and of their parents as far as they can be seen.
  static CpuQuotas of_this_process();
  // From the texts of /proc/self/mountinfo and /proc/self/cgroup.
  CpuQuotas(const std::string& mountinfo, const std::string& membership);

  // Nothing: there is no limit.
  std::optional<CpuQuota> smallest() const;
  // In how many periods a limit has stopped its group so far.
  std::uint64_t throttled_periods() const;

 private:
  struct Limited {
    CpuQuota quota;
    std::string folder;
  };
  std::vector<Limited> groups_;
};

// The same where somebody looks; else 0.
inline std::uint64_t throttled_periods(const CpuQuotas* quotas) {
  return quotas == nullptr ? 0 : quotas->throttled_periods();
}

}  // namespace muxbench
