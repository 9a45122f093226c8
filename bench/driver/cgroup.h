// A cgroup v2 directory made for one server: it holds every process the server starts, whatever
// they do to their process group, so their CPU time is exact and none of them can be left behind.
// Works on unified and hybrid layouts; needs write permission in the driver's own cgroup.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "metrics/usage.h"

namespace muxbench {

struct CgroupCpu {
  CpuTime split;        // user and system: apportioned by the kernel from its ticks
  Nanoseconds total{};  // exact
};

class Cgroup {
 public:
  // Or the reason why there can be none, with the remedy.
  static Result<Cgroup> make();
  Cgroup(Cgroup&& other) noexcept = default;
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();  // kills what is left in it and removes it

  int procs_fd() const noexcept { return procs_.get(); }
  int directory_fd() const noexcept { return directory_.get(); }  // for BPF and perf events
  Result<CgroupCpu> cpu() const;
  std::vector<pid_t> processes() const;
  void kill_all() const noexcept;

 private:
  Cgroup() = default;
  std::string path_;
  UniqueFd procs_;
  UniqueFd directory_;
};

// Where this process may make groups: "/sys/fs/cgroup/unified/user.slice". For `doctor` too.
Result<std::string> cgroup_parent(const std::string& mountinfo, const std::string& membership);

}  // namespace muxbench
