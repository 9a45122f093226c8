#include "system/host_cpu.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/directory.h"
#include "base/result.h"
#include "system/host_files.h"

namespace muxbench {
namespace {

constexpr const char* kCpus = "sys/devices/system/cpu";

std::string or_unknown(std::string text) { return text.empty() ? "unknown" : text; }

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

// How many differ, over all CPUs, in what `file` says of each.
std::size_t distinct(const Root& root, const char* file) {
  std::set<std::string> values;
  for (const std::string& name : names_in(root / kCpus)) {
    const auto value = first_line(root / kCpus / name / "topology" / file);
    if (!value.empty()) values.insert(value);
  }
  return values.size();
}

}  // namespace

std::string cpu_model(const Root& root) {
  const std::string name = field_of(root / "proc/cpuinfo", "model name");
  return name.empty() ? field_of(root / "proc/cpuinfo", "CPU part") : name;  // arm64 has no name
}

std::string governor(const Root& root) {
  return or_unknown(first_line(root / kCpus / "cpu0/cpufreq/scaling_governor"));
}

std::string turbo(const Root& root) {
  const std::string off = first_line(root / kCpus / "intel_pstate/no_turbo");
  if (!off.empty()) return off == "0" ? "on" : "off";
  const std::string boost = first_line(root / kCpus / "cpufreq/boost");
  return boost.empty() ? "unknown" : boost == "1" ? "on" : "off";
}

std::string simultaneous_multithreading(const Root& root) {
  const std::string active = first_line(root / kCpus / "smt/active");
  return active.empty() ? "unknown" : active == "1" ? "on" : "off";
}

std::optional<int> megahertz(const Root& root) {
  const int now = static_cast<int>(std::atof(field_of(root / "proc/cpuinfo", "cpu MHz").c_str()));
  if (now <= 0) return {};
  return now;
}

Json caches(const Root& root) {
  Json list = Json::array();
  for (int index = 0; index < 8; ++index) {
    const Root folder = root / kCpus / fmt::format("cpu0/cache/index{}", index);
    const std::string type = first_line(folder / "type");
    const std::string level = first_line(folder / "level");
    const std::string size = first_line(folder / "size");  // "48K"
    const std::string sharing = first_line(folder / "shared_cpu_list");
    if (type.empty() || level.empty() || size.empty() || sharing.empty()) break;
    const long scale = size.back() == 'M' ? 1024L * 1024 : 1024L;
    list.push_back({{"type", type},
                    {"level", std::atol(level.c_str())},
                    {"size", std::atol(size.c_str()) * scale},
                    {"num_sharing", count_of_list(sharing)}});
  }
  return list;
}

Json topology(const Root& root) {
  Json json = Json::object();
  const auto sockets = distinct(root, "package_cpus_list");
  const auto cores = distinct(root, "core_cpus_list");
  std::size_t nodes = 0;
  while (exists(root / fmt::format("sys/devices/system/node/node{}", nodes))) ++nodes;
  if (sockets > 0) json["sockets"] = sockets;
  if (cores > 0) json["cores"] = cores;
  if (nodes > 0) json["numa_nodes"] = nodes;
  return json;
}

Json mitigations(const Root& root) {
  const Root folder = root / kCpus / "vulnerabilities";
  Json values = Json::object();
  for (const std::string& name : names_in(folder)) {
    if (auto line = first_line(folder / name); !line.empty()) values[name] = std::move(line);
  }
  return values;
}

std::string virtual_machine(const Root& root) {
  const std::string vendor = first_line(root / "sys/class/dmi/id/sys_vendor");
  if (vendor.find("QEMU") != std::string::npos) return "qemu virtual machine";
  const std::string flags = " " + field_of(root / "proc/cpuinfo", "flags") + " ";
  return flags.find(" hypervisor ") == std::string::npos ? "" : "virtual machine";
}

std::optional<Nanoseconds> steal_time_since_boot(const Root& root) {
  std::ifstream stat(root / "proc/stat");  // "cpu user nice system idle iowait irq softirq steal"
  std::string cpu;
  long long ticks = 0;
  stat >> cpu;
  for (int field = 0; field < 8; ++field) stat >> ticks;
  if (!stat || cpu != "cpu") return {};
  return Nanoseconds(std::chrono::seconds(1)) * ticks / ::sysconf(_SC_CLK_TCK);
}

std::optional<Nanoseconds> steal_time_between(std::optional<Nanoseconds> begin,
                                              std::optional<Nanoseconds> end,
                                              bool in_virtual_machine) {
  if (!begin || !end || *end < *begin) return {};
  if (in_virtual_machine && *end == Nanoseconds(0)) return {};
  return *end - *begin;
}

}  // namespace muxbench
