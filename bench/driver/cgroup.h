// A cgroup made for one server: it holds every process the server starts, whatever they do to
// their process group, so their CPU time is exact and none of them can be left behind. Needs write
// permission in one of the driver's own cgroups: root has it, and an ordinary user in a group that
// systemd delegated to him.
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

enum class CgroupKind {
  v2,      // cpu.stat: unified and hybrid layouts
  cpuacct  // v1: hybrid and legacy layouts
};

// Where this process may make groups: {v2, "/sys/fs/cgroup/unified/user.slice"}.
struct CgroupPlace {
  CgroupKind kind;
  std::string path;
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup; v2 first.
std::vector<CgroupPlace> cgroup_places(const std::string& mountinfo, const std::string& membership);

class Cgroup {
 public:
  // In the first place that allows it; or the reason why there can be none, with the remedy.
  static Result<Cgroup> make();
  static Result<Cgroup> make_in(const CgroupPlace& place);
  Cgroup(Cgroup&& other) noexcept = default;
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();  // kills what is left in it and removes it

  CgroupKind kind() const noexcept { return kind_; }
  const char* cpu_source() const noexcept;  // "cgroup v2 cpu.stat", as reports name it
  int procs_fd() const noexcept { return procs_.get(); }
  int directory_fd() const noexcept { return directory_.get(); }  // for BPF and perf events
  Result<CgroupCpu> cpu() const;
  std::vector<pid_t> processes() const;
  void kill_all() const noexcept;

 private:
  explicit Cgroup(CgroupKind kind) : kind_(kind) {}
  CgroupKind kind_;
  std::string path_;
  UniqueFd procs_;
  UniqueFd directory_;
};

}  // namespace muxbench
