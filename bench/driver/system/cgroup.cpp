#include "system/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "system/abandoned.h"

namespace muxbench {
namespace {

void write_text(const std::string& path, std::string_view text) noexcept {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd) [[maybe_unused]]
    const auto written = ::write(fd.get(), text.data(), text.size());
}

// proc(5): "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"; fields 4 and 5 are the root
// inside the file system and the mount point, the last are a v1 hierarchy's controllers.
struct Mount {
  std::string root;
  std::string point;
};

// Is it an element of "rw,cpu,cpuacct"?
bool has_word(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

constexpr const char* kCpuacct = "cpuacct";

std::string controller_of(CgroupKind kind) { return kind == CgroupKind::v2 ? kUnified : kCpuacct; }

std::optional<Mount> find_mount(const std::string& mountinfo, const std::string& controller) {
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream after(line.substr(dash + 3));
    std::string type;
    std::string source;
    std::string options;
    after >> type >> source >> options;
    const bool wanted = controller == kUnified ? type == "cgroup2"
                                               : type == "cgroup" && has_word(options, controller);
    if (!wanted) continue;
    std::istringstream fields(line);
    Mount mount;
    std::string skipped;
    fields >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    return mount;
  }
  return {};
}

// cgroups(7): "4:cpu,cpuacct:/user.slice" of v1, "0::/user.slice" of v2.
std::optional<std::string> find_membership(const std::string& membership,
                                           const std::string& controller) {
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool wanted =
        controller == kUnified ? line.starts_with("0::") : has_word(controllers, controller);
    if (wanted) return line.substr(second + 1);
  }
  return {};
}

std::optional<long> read_number(const std::string& path) {
  std::ifstream file(path);
  long value = 0;
  if (file >> value) return value;
  return {};
}

// The whole is exact; the parts are counted in ticks and share it between them.
CgroupCpu apportioned(Nanoseconds total, double user, double system) {
  if (!(user + system > 0)) return {{}, total};
  const double share = user / (user + system);
  const Nanoseconds part(static_cast<Nanoseconds::rep>(share * static_cast<double>(total.count())));
  return {CpuTime{part, total - part}, total};
}

Result<CgroupCpu> read_cpu_stat(const std::string& folder) {
  std::ifstream file(folder + "/cpu.stat");
  std::map<std::string, long> values;
  std::string key;
  for (long value = 0; file >> key >> value;) values[key] = value;
  if (!values.contains("usage_usec")) return make_error("{}/cpu.stat has no usage_usec", folder);
  const auto time = [&](const char* name) { return std::chrono::microseconds(values[name]); };
  CgroupCpu cpu{{}, time("usage_usec")};
  if (values.contains("user_usec") && values.contains("system_usec")) {
    cpu.split = CpuTime{time("user_usec"), time("system_usec")};
  }
  return cpu;
}

Result<CgroupCpu> read_cpuacct(const std::string& folder) {
  const auto usage = read_number(folder + "/cpuacct.usage");
  if (!usage) return make_error("{}/cpuacct.usage cannot be read", folder);
  const auto user = read_number(folder + "/cpuacct.usage_user");  // Linux 4.7
  const auto system = read_number(folder + "/cpuacct.usage_sys");
  if (user && system) {
    return apportioned(Nanoseconds(*usage), static_cast<double>(*user),
                       static_cast<double>(*system));
  }
  std::ifstream stat(folder + "/cpuacct.stat");  // "user 12\nsystem 34\n", in ticks
  std::string key;
  double ticks[2] = {0, 0};
  stat >> key >> ticks[0] >> key >> ticks[1];
  return apportioned(Nanoseconds(*usage), ticks[0], ticks[1]);
}

// Who may make a group may not always move processes into it: in cgroup v2 that takes write
// permission to cgroup.procs of the group that they leave, too.
Result<> try_to_join(int procs, const std::string& path) {
  const pid_t child = ::fork();
  if (child < 0) return make_error("cannot fork: {}", describe(last_errno()));
  if (child == 0) ::_exit(::write(procs, "0", 1) == 1 ? 0 : errno);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return {};
  return make_error("no process can be moved into {}: {}", path,
                    describe(Errno{WEXITSTATUS(status)}));
}

// The same, but only tried once for each place.
Result<> can_join(int procs, const CgroupPlace& place, const std::string& path) {
  static std::set<std::string> joined;
  if (joined.contains(place.path)) return {};
  auto tried = try_to_join(procs, path);
  if (tried) joined.insert(place.path);
  return tried;
}

}  // namespace

std::vector<CgroupPlace> cgroup_places(const std::string& mountinfo,
                                       const std::string& membership) {
  std::vector<CgroupPlace> places;
  for (const CgroupKind kind : {CgroupKind::v2, CgroupKind::cpuacct}) {
    const auto groups = own_groups(mountinfo, membership, controller_of(kind));
    if (!groups.empty()) places.push_back({kind, groups.front()});
  }
  return places;
}

std::vector<std::string> own_groups(const std::string& mountinfo, const std::string& membership,
                                    const std::string& controller) {
  const auto mount = find_mount(mountinfo, controller);
  auto own = find_membership(membership, controller);
  // "/.." is a group outside of this cgroup namespace.
  if (!mount || !own || own->starts_with("/..")) return {};
  if (mount->root != "/" && own->starts_with(mount->root)) own->erase(0, mount->root.size());
  std::vector<std::string> groups;
  for (std::string below = *own; below.size() > 1; below.erase(below.rfind('/'))) {
    groups.push_back(mount->point + below);
  }
  groups.push_back(mount->point);
  return groups;
}

std::optional<std::string> cpuacct_root(const std::string& mountinfo) {
  const auto mount = find_mount(mountinfo, kCpuacct);
  if (!mount || mount->root != "/") return {};
  return mount->point;
}

Result<CgroupCpu> read_cpu(const CgroupPlace& group) {
  return group.kind == CgroupKind::v2 ? read_cpu_stat(group.path) : read_cpuacct(group.path);
}

Result<Cgroup> Cgroup::make() {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto membership = read_file("/proc/self/cgroup");
  if (!mountinfo || !membership) return make_error("/proc is not mounted");
  return make_in(cgroup_places(*mountinfo, *membership));
}

Result<Cgroup> Cgroup::make_in(const std::vector<CgroupPlace>& places) {
  std::string reasons;
  for (const CgroupPlace& place : places) {
    auto group = make_in(place);
    if (group) return group;
    reasons += (reasons.empty() ? "" : ", and ") + group.error().message;
  }
  if (reasons.empty()) {
    return make_error(
        "this process is in no mounted cgroup that accounts CPU time; mount one (as root: mount -t "
        "cgroup2 none /sys/fs/cgroup)");
  }
  return make_error(
      "{}; run as root, or in a group that systemd delegates to you (systemd-run --user --scope -p "
      "Delegate=yes COMMAND)",
      reasons);
}

Result<Cgroup> Cgroup::make_in(const CgroupPlace& place) {
  static std::atomic<unsigned> serial{0};
  for (const Abandoned& folder : abandoned_in(place.path)) {
    const Cgroup of_a_killed_driver({place.kind, folder.path});  // which ends here
  }
  const std::string path = fmt::format("{}/{}{}", place.path, own_prefix(), serial++);
  if (::mkdir(path.c_str(), 0755) != 0) {
    return make_error("cannot make a cgroup in {}: {}", place.path, describe(last_errno()));
  }
  Cgroup group({place.kind, path});
  group.procs_.reset(::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  group.directory_ = mark_as_owned(path);
  if (!group.procs_ || !group.directory_) {
    return make_error("cannot open {}: {}", path, describe(last_errno()));
  }
  if (const auto joined = can_join(group.procs_fd(), place, path); !joined) return joined.error();
  if (const auto cpu = group.cpu(); !cpu) return cpu.error();
  return group;
}

const char* Cgroup::cpu_source() const noexcept {
  return kind() == CgroupKind::v2 ? "cgroup v2 cpu.stat" : "cgroup v1 cpuacct.usage";
}

Cgroup::~Cgroup() {
  if (place_.path.empty()) return;
  // A killed process leaves its group a moment after the signal, so removal needs some patience.
  for (int attempt = 0; attempt < 200; ++attempt) {
    kill_all();
    if (::rmdir(place_.path.c_str()) == 0 || errno == ENOENT) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::vector<pid_t> Cgroup::processes() const {
  std::ifstream file(place_.path + "/cgroup.procs");
  std::vector<pid_t> pids;
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

void Cgroup::kill_all() const noexcept {
  write_text(place_.path + "/cgroup.kill", "1");  // Linux 5.14; what is older needs the loop
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
}

}  // namespace muxbench
