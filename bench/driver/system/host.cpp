#include "system/host.h"

#include <gnu/libc-version.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "base/directory.h"
#include "system/build_info.h"
#include "system/host_files.h"

namespace muxbench {
namespace {

void put(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// Parameters of the kernel's command line that timings depend on; one that ends in a dot is a family.
constexpr std::string_view kParameters =
    " isolcpus nohz nohz_full rcu_nocbs rcu_nocb_poll irqaffinity threadirqs preempt skew_tick"
    " highres maxcpus nr_cpus nosmt mitigations pti nopti spectre_v2 retbleed l1tf mds tsx idle"
    " clocksource tsc hugepages hugepagesz default_hugepagesz transparent_hugepage numa_balancing"
    " init_on_alloc init_on_free slub_debug debug_pagealloc page_poison psi audit security"
    " cgroup_disable intel_pstate amd_pstate intel_idle. processor. cpuidle. cpufreq. ";

// The rest of the command line may be nobody else's business. Null where it cannot be read.
Json kernel_parameters(const Root& root) {
  if (!exists(root / "proc/cmdline")) return nullptr;
  Json values = Json::array();
  std::istringstream words(first_line(root / "proc/cmdline"));
  for (std::string word; words >> word;) {
    const std::string name = word.substr(0, word.find_first_of("=."));
    const bool has_family = word.size() > name.size() && word[name.size()] == '.';
    if (kParameters.find(fmt::format(" {}{} ", name, has_family ? "." : "")) != kParameters.npos) {
      values.push_back(word);
    }
  }
  return values;
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

}  // namespace

std::string host_name() {
  utsname names{};
  ::uname(&names);
  return names.nodename;
}

std::string virtualisation(const Root& root) {
  const std::string container = exists(root / ".dockerenv")          ? "docker"
                                : exists(root / "run/.containerenv") ? "podman"
                                                                     : "";
  const std::string machine = virtual_machine(root);
  if (container.empty()) return machine.empty() ? "none seen" : machine;
  return machine.empty() ? container : fmt::format("{} in a {}", container, machine);
}

Json sysctls(const Root& root) {
  Json values = Json::object();
  for (const char* name : {"net.core.somaxconn",
                           "net.core.rmem_default",
                           "net.core.rmem_max",
                           "net.core.wmem_default",
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
    std::string path = name;
    std::replace(path.begin(), path.end(), '.', '/');
    std::string line = first_line(root / "proc/sys" / path);
    std::replace(line.begin(), line.end(), '\t', ' ');
    put(values, name, line);
  }
  return values;
}

Json host_section(const Json& sysctls_outside, const Root& root) {
  utsname names{};
  ::uname(&names);
  Json host{{"name", names.nodename},
            {"kernel", fmt::format("{} {}", names.sysname, names.release)},
            {"kernel_build", names.version},
            {"architecture", names.machine}};
  put(host, "cpu_model", cpu_model(root));
  host["cpus"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  host["memory_bytes"] =
      static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  host["descriptor_limit"] = descriptor_limit();
  put(host, "compiler", build_info().compiler);
  put(host, "build_type", build_info().type);
  put(host, "congestion_control", first_line(root / "proc/sys/net/ipv4/tcp_congestion_control"));
  host["governor"] = governor(root);
  put(host, "clock_source",
      first_line(root / "sys/devices/system/clocksource/clocksource0/current_clocksource"));
  host["virtualisation"] = virtualisation(root);
  put(host, "compiler_flags", build_info().compiler_flags);
  host["turbo"] = turbo(root);
  host["smt"] = simultaneous_multithreading(root);
  if (auto parameters = kernel_parameters(root); !parameters.is_null()) {
    host["kernel_parameters"] = std::move(parameters);
  }
  put(host, "glibc", ::gnu_get_libc_version());
  host["topology"] = topology(root);
  host["mitigations"] = mitigations(root);
  host["sysctls"] = sysctls_outside;
  host["sysctls"].update(sysctls(root));
  host["limits"] = limits();
  return host;
}

LoadAverage load_average(const Root& root) {
  LoadAverage averages(3);
  std::istringstream text(first_line(root / "proc/loadavg"));
  for (double& value : averages) text >> value;
  return text ? averages : LoadAverage{};
}

Json envelope_context(const std::string& executable, const std::string& date,
                      const LoadAverage& load_before, const Root& root) {
  Json context{{"date", date},
               {"host_name", host_name()},
               {"executable", executable},
               {"num_cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
               {"mhz_per_cpu", nullptr},
               {"caches", caches(root)},
               {"load_avg", load_before},
               {"library_build_type", build_info().type == "Debug" ? "debug" : "release"}};
  if (const auto now = megahertz(root)) context["mhz_per_cpu"] = *now;
  // Absent where it is unknown, as in Google Benchmark.
  if (const auto seen = governor(root); seen != "unknown") {
    context["cpu_scaling_enabled"] = seen != "performance";
  }
  return context;
}

}  // namespace muxbench
