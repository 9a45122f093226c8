#include "system/host_checks.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/directory.h"
#include "system/call_checks.h"
#include "system/cgroup.h"
#include "system/counting/syscall_counter.h"
#include "system/cpu_quota.h"
#include "system/host.h"
#include "system/host_files.h"
#include "system/machine_lock.h"
#include "system/network_namespace.h"

namespace muxbench {

Diagnosis good(std::string subject, std::string found) {
  return {std::move(subject), Health::good, std::move(found), ""};
}

Diagnosis lack(std::string subject, std::string found, std::string remedy) {
  return {std::move(subject), Health::lack, std::move(found), std::move(remedy)};
}

Diagnosis missing(std::string subject, std::string found, std::string remedy) {
  return {std::move(subject), Health::missing, std::move(found), std::move(remedy)};
}

namespace {

// What the shipped experiments need at most: 8,100 connections and some.
constexpr rlim_t kWantedDescriptors = 8192;

Diagnosis descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  std::string found = fmt::format("a process may open {}", limit.rlim_max);
  if (limit.rlim_cur < limit.rlim_max) {
    found +=
        fmt::format(" (the soft limit of {} is raised by each program itself)", limit.rlim_cur);
  }
  if (limit.rlim_max >= kWantedDescriptors) return good("descriptors", std::move(found));
  return lack("descriptors", std::move(found),
              fmt::format("raise the hard limit to {} (ulimit -Hn as root, or "
                          "/etc/security/limits.conf); points that need more are skipped",
                          kWantedDescriptors));
}

Diagnosis processes() {
  const long pids = std::atol(first_line("/proc/sys/kernel/pid_max").c_str());
  const long threads = std::atol(first_line("/proc/sys/kernel/threads-max").c_str());
  std::string found = fmt::format("pid_max {}, threads-max {}", pids, threads);
  if (std::min(pids, threads) > 10'000) return good("processes", std::move(found));
  return lack("processes", std::move(found),
              "models with a process or thread per connection will serve fewer than 8,000; raise "
              "both sysctls");
}

Diagnosis network() {
  const auto tried = try_private_network();
  if (tried) return good("private network", "a network namespace can be made");
  return lack("private network", "the host's loopback will be used", tried.error().message);
}

Diagnosis cgroup() {
  const auto group = Cgroup::make();
  if (group) return good("cpu accounting", group->cpu_source());
  return lack("cpu accounting", "process clocks, and ticks of 10 ms for children that ended",
              group.error().message);
}

void counting(std::vector<Diagnosis>& list) {
  bool counted = false;
  for (const char* name : kCountingBackends) {
    const TriedBackend tried = try_backend(name);
    const std::string subject = fmt::format("counting by {}", name);
    if (tried.counter) {
      list.push_back(good(
          subject, fmt::format("self-test: {} of {} getppid calls counted{}",
                               tried.backend.self_test->counted, tried.backend.self_test->expected,
                               counted ? "; a later choice" : "")));
      counted = true;
    } else if (const auto semicolon = tried.backend.reason.rfind("; ");
               semicolon != std::string::npos) {
      list.push_back(lack(subject, tried.backend.reason.substr(0, semicolon),
                          tried.backend.reason.substr(semicolon + 2)));
    } else {
      list.push_back(lack(subject, tried.backend.reason,
                          counted
                              ? "not needed: the first choice works"
                              : "the next way is tried; without any, no system call is counted"));
    }
  }
}

Diagnosis cpu_quota() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  const auto quota = CpuQuotas::of_this_process().smallest();
  if (!quota) return good("cpu quota", "none");
  std::string found =
      fmt::format("{:.2f} of {} CPUs ({})", quota->cpus, CPU_COUNT(&allowed), quota->file);
  if (quota->cpus >= CPU_COUNT(&allowed)) return good("cpu quota", std::move(found));
  return lack("cpu quota", std::move(found),
              "raise it (docker run --cpus, systemd's CPUQuota, limits.cpu of Kubernetes), as it "
              "stops server and load generator in the middle of a measurement; what that hits is "
              "flagged as throttled");
}

Diagnosis other_runs() {
  const auto alone = MachineLock::take(false);
  if (alone) return good("other runs", "none on this machine");
  const std::string said = alone.error().message;
  const auto semicolon = said.find("; ");
  return lack("other runs", said.substr(0, semicolon), said.substr(semicolon + 2));
}

Diagnosis reuse_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!fd) {
    return missing("sockets", describe(last_errno()), "allow this process TCP sockets");
  }
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) {
    return good("SO_REUSEPORT", "available");
  }
  return lack("SO_REUSEPORT", describe(last_errno()), "use Linux 3.9 or newer");
}

void tools(std::vector<Diagnosis>& list) {
  struct Tool {
    const char* name;
    const char* purpose;
    const char* package;
  };
  for (const Tool& tool :
       {Tool{"clang", "counting by bpf", "clang"}, Tool{"bpftool", "counting by bpf", "bpftool"},
        Tool{"strace", "the syscall profile tests", "strace"}}) {
    const std::string file = find_program(tool.name);
    const std::string subject = std::string("tool ") + tool.name;
    list.push_back(file.empty() ? lack(subject, fmt::format("not found; {} need it", tool.purpose),
                                       fmt::format("apt-get install {}", tool.package))
                                : good(subject, file));
  }
}

void noise(std::vector<Diagnosis>& list) {
  if (const std::string seen = governor(); seen == "performance" || seen == "unknown") {
    list.push_back(good("governor", seen));
  } else {
    list.push_back(lack("governor", seen, "cpupower frequency-set -g performance, as root"));
  }
  if (const LoadAverage load = load_average(); !load.empty()) {
    const std::string found = fmt::format("{:.2f} over the last minute", load.front());
    list.push_back(load.front() < 0.5 ? good("load average", found)
                                      : lack("load average", found,
                                             "stop other work: it disturbs what is measured"));
  }
  if (const std::string kind = virtualisation(); kind != "none seen") {
    list.push_back(lack("virtualisation", kind,
                        "neighbours may take CPU time; prefer bare metal for numbers to publish"));
  }
}

}  // namespace

std::vector<Diagnosis> examine_host() {
  std::vector<Diagnosis> list;
  for (const auto& probe : {other_runs, descriptors, processes, network, cgroup, cpu_quota,
                            check_io_uring, check_linux_aio, reuse_port}) {
    list.push_back(probe());
  }
  counting(list);
  tools(list);
  noise(list);
  return list;
}

}  // namespace muxbench
