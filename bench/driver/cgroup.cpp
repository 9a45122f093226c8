#include "driver/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "driver/json_reader.h"

namespace muxbench {
namespace {

constexpr const char* kPrefix = "muxbench-";

void write_text(const std::string& path, std::string_view text) noexcept {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd) [[maybe_unused]]
    const auto written = ::write(fd.get(), text.data(), text.size());
}

// proc(5): "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"; fields 4 and 5 are the root
// inside the file system and the mount point.
struct Mount {
  std::string root;
  std::string point;
};

std::optional<Mount> find_cgroup2(const std::string& mountinfo) {
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    Mount mount;
    std::string skipped;
    fields >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    return mount;
  }
  return {};
}

// Groups of drivers that were killed. Those of drivers that live stay, and rmdir(2) refuses those
// that still hold a process.
void remove_abandoned(const std::string& parent) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const pid_t owner = std::atoi(name.c_str() + std::strlen(kPrefix));
    if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) ::rmdir(entry.path().c_str());
  }
}

}  // namespace

Result<std::string> cgroup_parent(const std::string& mountinfo, const std::string& membership) {
  const auto mount = find_cgroup2(mountinfo);
  if (!mount) {
    return fail("no cgroup v2 file system is mounted; mount one (mount -t cgroup2 none DIR)");
  }
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::")) continue;
    std::string own = line.substr(3);
    if (mount->root != "/" && own.starts_with(mount->root)) own.erase(0, mount->root.size());
    return own == "/" ? mount->point : mount->point + own;
  }
  return fail("this process is in no cgroup v2 group");
}

Result<Cgroup> Cgroup::make() {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto membership = read_file("/proc/self/cgroup");
  if (!mountinfo || !membership) return fail("/proc is not mounted");
  const auto parent = cgroup_parent(*mountinfo, *membership);
  if (!parent) return parent.error();
  static std::atomic<unsigned> serial{0};
  if (serial == 0) remove_abandoned(*parent);
  Cgroup group;
  const std::string path = fmt::format("{}/{}{}-{}", *parent, kPrefix, ::getpid(), serial++);
  if (::mkdir(path.c_str(), 0755) != 0) {
    return fail(
        "cannot make a cgroup in {}: {}; run as root, or in a delegated group (systemd-run "
        "--user --scope -p Delegate=yes)",
        *parent, describe(last_errno()));
  }
  group.path_ = path;
  group.procs_.reset(::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  group.directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group.procs_ || !group.directory_) {
    return fail("cannot open {}: {}", path, describe(last_errno()));
  }
  if (const auto cpu = group.cpu(); !cpu) return cpu.error();
  return group;
}

Cgroup::~Cgroup() {
  if (path_.empty()) return;
  // A killed process leaves its group a moment after the signal, so removal needs some patience.
  for (int attempt = 0; attempt < 200; ++attempt) {
    kill_all();
    if (::rmdir(path_.c_str()) == 0 || errno == ENOENT) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Result<CgroupCpu> Cgroup::cpu() const {
  std::ifstream file(path_ + "/cpu.stat");
  std::map<std::string, long> values;
  std::string key;
  for (long value = 0; file >> key >> value;) values[key] = value;
  if (!values.contains("usage_usec")) return fail("{}/cpu.stat has no usage_usec", path_);
  const auto time = [&](const char* name) { return std::chrono::microseconds(values[name]); };
  return CgroupCpu{{time("user_usec"), time("system_usec")}, time("usage_usec")};
}

std::vector<pid_t> Cgroup::processes() const {
  std::ifstream file(path_ + "/cgroup.procs");
  std::vector<pid_t> pids;
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

void Cgroup::kill_all() const noexcept {
  write_text(path_ + "/cgroup.kill", "1");  // Linux 5.14; what is older needs the loop
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
}

}  // namespace muxbench
