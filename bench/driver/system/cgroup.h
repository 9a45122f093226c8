// A cgroup made for one server: it holds every process the server starts, whatever they do to
// their process group, so their CPU time is exact and none of them can be left behind. Needs write
// permission in one of the driver's own cgroups: root has it, and an ordinary user in a group that
// systemd delegated to him.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "metrics/usage.h"

namespace muxbench {

struct CgroupCpu {
  std::optional<CpuTime> split;  // user and system, if told: apportioned from the kernel's ticks
  Nanoseconds total{};           // exact
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

// The controller's name for cgroup v2, where one hierarchy has all of them.
inline const std::string kUnified;
// The group that this process is in and its parents up to the mount, from the same texts: in the
// hierarchy of this controller of v1, or in v2's. The process's own comes first.
std::vector<std::string> own_groups(const std::string& mountinfo, const std::string& membership,
                                    const std::string& controller);

// Where the root group of cgroup v1's cpuacct is mounted, from the text of /proc/self/mountinfo.
std::optional<std::string> cpuacct_root(const std::string& mountinfo);

// What the group at this place has used.
Result<CgroupCpu> read_cpu(const CgroupPlace& group);

class Cgroup {
 public:
  // In the first of this process's own places that allows it; or the reason why there can be none,
  // with the remedy.
  static Result<Cgroup> make();
  static Result<Cgroup> make_in(const std::vector<CgroupPlace>& places);
  static Result<Cgroup> make_in(const CgroupPlace& place);
  Cgroup(Cgroup&& other) noexcept = default;
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();  // kills what is left in it and removes it

  CgroupKind kind() const noexcept { return place_.kind; }
  const char* cpu_source() const noexcept;  // "cgroup v2 cpu.stat", as reports name it
  int procs_fd() const noexcept { return procs_.get(); }
  int directory_fd() const noexcept { return directory_.get(); }  // for BPF and perf events
  Result<CgroupCpu> cpu() const { return read_cpu(place_); }
  std::vector<pid_t> processes() const;
  void kill_all() const noexcept;

 private:
  explicit Cgroup(CgroupPlace place) : place_(std::move(place)) {}
  CgroupPlace place_;  // its own folder; no path if it was moved from
  UniqueFd procs_;
  UniqueFd directory_;
};

}  // namespace muxbench
