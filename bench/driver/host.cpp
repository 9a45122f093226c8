#include "driver/host.h"

#include <gnu/libc-version.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/directory.h"
#include "version.h"

namespace muxbench {
namespace {

// The value of the first line "KEY<spaces>: VALUE".
std::string field_of(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

void put(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// How many CPUs a list such as "0-3,8" of the kernel names.
int count_of_list(const std::string& list) {
  int count = 0;
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    const auto dash = range.find('-');
    const int last = dash == std::string::npos ? 0 : std::atoi(range.c_str() + dash + 1);
    count += dash == std::string::npos ? 1 : last - std::atoi(range.c_str()) + 1;
  }
  return std::max(count, 1);
}

Json caches() {
  Json list = Json::array();
  for (int index = 0; index < 8; ++index) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    const std::string size = first_line(folder + "size");  // "48K"
    if (size.empty()) break;
    const long scale = size.back() == 'M' ? 1024L * 1024 : 1024L;
    list.push_back({{"type", first_line(folder + "type")},
                    {"level", std::atol(first_line(folder + "level").c_str())},
                    {"size", std::atol(size.c_str()) * scale},
                    {"num_sharing", count_of_list(first_line(folder + "shared_cpu_list"))}});
  }
  return list;
}

bool cpu_scaling_enabled() { return governor() != "unknown" && governor() != "performance"; }

// Files whose absence means that the kernel has no such thing.
Json first_lines(const std::vector<std::pair<std::string, std::string>>& files) {
  Json values = Json::object();
  for (const auto& [name, path] : files) {
    std::string line = first_line(path);
    std::replace(line.begin(), line.end(), '\t', ' ');
    put(values, name.c_str(), line);
  }
  return values;
}

Json sysctls() {
  std::vector<std::pair<std::string, std::string>> files;
  for (const char* name : {"net.core.somaxconn",
                           "net.core.rmem_max",
                           "net.core.wmem_max",
                           "net.core.busy_poll",
                           "net.core.netdev_max_backlog",
                           "net.ipv4.tcp_rmem",
                           "net.ipv4.tcp_wmem",
                           "net.ipv4.tcp_max_syn_backlog",
                           "net.ipv4.tcp_tw_reuse",
                           "net.ipv4.tcp_syncookies",
                           "net.ipv4.tcp_autocorking",
                           "net.ipv4.ip_local_port_range",
                           "fs.nr_open",
                           "fs.aio-max-nr",
                           "kernel.pid_max",
                           "kernel.threads-max",
                           "kernel.io_uring_disabled",
                           "kernel.sched_autogroup_enabled",
                           "kernel.perf_event_paranoid",
                           "vm.max_map_count"}) {
    std::string path = std::string("/proc/sys/") + name;
    std::replace(path.begin() + 10, path.end(), '.', '/');
    files.emplace_back(name, path);
  }
  return first_lines(files);
}

Json mitigations() {
  const std::string folder = "/sys/devices/system/cpu/vulnerabilities";
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& name : names_in(folder)) files.emplace_back(name, folder + "/" + name);
  return first_lines(files);
}

Json limits() {
  Json values = Json::object();
  const auto add = [&](const char* name, auto resource) {
    rlimit limit{};
    // Without a limit it is absent.
    if (::getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
      values[name] = limit.rlim_cur;
    }
  };
  add("descriptors", RLIMIT_NOFILE);
  add("processes", RLIMIT_NPROC);
  add("locked_memory_bytes", RLIMIT_MEMLOCK);
  add("stack_bytes", RLIMIT_STACK);
  return values;
}

std::string turbo() {
  const std::string off = first_line("/sys/devices/system/cpu/intel_pstate/no_turbo");
  if (!off.empty()) return off == "0" ? "on" : "off";
  const std::string boost = first_line("/sys/devices/system/cpu/cpufreq/boost");
  return boost.empty() ? "unknown" : boost == "1" ? "on" : "off";
}

// By the name that its maker gave it, or by what it lets the CPU say; empty on bare metal.
std::string virtual_machine() {
  const std::string vendor = first_line("/sys/class/dmi/id/sys_vendor");
  if (vendor.find("QEMU") != std::string::npos) return "qemu virtual machine";
  return (" " + field_of("/proc/cpuinfo", "flags") + " ").find(" hypervisor ") == std::string::npos
             ? ""
             : "virtual machine";
}

// How many differ, over all CPUs, in what `file` says of each.
std::size_t distinct(const char* file) {
  std::set<std::string> values;
  for (long cpu = 0; cpu < ::sysconf(_SC_NPROCESSORS_CONF); ++cpu) {
    const auto value =
        first_line(fmt::format("/sys/devices/system/cpu/cpu{}/topology/{}", cpu, file));
    if (!value.empty()) values.insert(value);
  }
  return values.size();
}

Json topology() {
  Json json = Json::object();
  if (const auto sockets = distinct("package_cpus_list"); sockets > 0) json["sockets"] = sockets;
  if (const auto cores = distinct("core_cpus_list"); cores > 0) json["cores"] = cores;
  std::size_t nodes = 0;
  while (exists(fmt::format("/sys/devices/system/node/node{}", nodes))) ++nodes;
  if (nodes > 0) json["numa_nodes"] = nodes;
  return json;
}

}  // namespace

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string host_name() {
  utsname names{};
  ::uname(&names);
  return names.nodename;
}

std::string cpu_model() {
  const std::string name = field_of("/proc/cpuinfo", "model name");
  return name.empty() ? field_of("/proc/cpuinfo", "CPU part") : name;  // arm64 has no name
}

std::string virtualisation() {
  const std::string container = exists("/.dockerenv")          ? "docker"
                                : exists("/run/.containerenv") ? "podman"
                                                               : "";
  const std::string machine = virtual_machine();
  if (container.empty()) return machine.empty() ? "none seen" : machine;
  return machine.empty() ? container : fmt::format("{} in a {}", container, machine);
}

std::string governor() {
  const std::string line = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return line.empty() ? "unknown" : line;
}

Json host_section() {
  utsname names{};
  ::uname(&names);
  Json host{{"name", names.nodename},
            {"kernel", fmt::format("{} {}", names.sysname, names.release)},
            {"architecture", names.machine}};
  put(host, "cpu_model", cpu_model());
  host["cpus"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  host["memory_bytes"] =
      static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  host["descriptor_limit"] = descriptor_limit();
  put(host, "compiler", build_info().compiler);
  put(host, "build_type", build_info().type);
  put(host, "congestion_control", first_line("/proc/sys/net/ipv4/tcp_congestion_control"));
  host["governor"] = governor();
  put(host, "clock_source",
      first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
  host["virtualisation"] = virtualisation();
  put(host, "compiler_flags", build_info().compiler_flags);
  host["turbo"] = turbo();
  put(host, "glibc", ::gnu_get_libc_version());
  host["topology"] = topology();
  host["mitigations"] = mitigations();
  host["sysctls"] = sysctls();
  host["limits"] = limits();
  return host;
}

LoadAverage load_average() {
  LoadAverage averages{};
  std::istringstream text(first_line("/proc/loadavg"));
  for (double& value : averages) text >> value;
  return averages;
}

Json envelope_context(const std::string& executable, const std::string& date,
                      const LoadAverage& load_before) {
  double megahertz = std::atof(field_of("/proc/cpuinfo", "cpu MHz").c_str());
  return {{"date", date},
          {"host_name", host_name()},
          {"executable", executable},
          {"num_cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"mhz_per_cpu", static_cast<int>(megahertz)},
          {"cpu_scaling_enabled", cpu_scaling_enabled()},
          {"caches", caches()},
          {"load_avg", load_before},
          {"library_build_type", build_info().type == "Debug" ? "debug" : "release"}};
}

const BuildInfo& build_info() {
  static const BuildInfo info{.version = MUXBENCH_VERSION,
                              .revision = MUXBENCH_GIT_REVISION,
                              .dirty = MUXBENCH_GIT_DIRTY,
                              .type = MUXBENCH_BUILD_TYPE,
                              .compiler = MUXBENCH_COMPILER,
                              .compiler_flags = MUXBENCH_COMPILER_FLAGS,
                              .experiments_dir = MUXBENCH_EXPERIMENTS_DIR};
  return info;
}

}  // namespace muxbench
