#include "plan/cpu_plan.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <map>

namespace muxbench {
namespace {

// The lowest CPU of the same physical core, or the CPU itself where sysfs does not tell.
int core_of(int cpu) {
  std::ifstream file(
      fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  int first = cpu;
  file >> first;
  return first;
}

bool overlap(const std::vector<int>& a, const std::vector<int>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](int cpu) { return std::find(b.begin(), b.end(), cpu) != b.end(); });
}

std::vector<int> without(const std::vector<int>& all, const std::vector<int>& taken) {
  std::vector<int> rest;
  std::copy_if(all.begin(), all.end(), std::back_inserter(rest),
               [&](int cpu) { return std::find(taken.begin(), taken.end(), cpu) == taken.end(); });
  return rest;
}

Result<> check_allowed(const std::vector<int>& wanted, const std::vector<int>& allowed,
                       std::string_view option) {
  const auto missing = without(wanted, allowed);
  if (missing.empty()) return {};
  return usage_error("{} names CPU {}, which this process may not use; it may use {}", option,
                     missing.front(), to_string(allowed));
}

// The first half of the physical cores, or of the CPUs where all are of one core.
std::vector<int> first_half(const std::vector<Cpu>& allowed) {
  std::map<int, std::vector<int>> cores;
  for (const Cpu& cpu : allowed) cores[cpu.core].push_back(cpu.number);
  std::vector<int> half;
  if (cores.size() == 1) {
    for (std::size_t i = 0; i < allowed.size() / 2; ++i) half.push_back(allowed[i].number);
    return half;
  }
  std::size_t left = cores.size() / 2;
  for (const auto& [core, cpus] : cores) {
    if (left-- == 0) break;
    half.insert(half.end(), cpus.begin(), cpus.end());
  }
  std::sort(half.begin(), half.end());
  return half;
}

}  // namespace

std::vector<Cpu> allowed_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<Cpu> cpus;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &mask)) cpus.push_back({cpu, core_of(cpu)});
  }
  return cpus;
}

Result<CpuPlan> plan_cpus(const std::vector<Cpu>& allowed, const CpuRequest& request) {
  std::vector<int> all;
  for (const Cpu& cpu : allowed) all.push_back(cpu.number);
  CpuPlan plan{request.server.value_or(std::vector<int>{}),
               request.load.value_or(std::vector<int>{})};
  if (auto good = check_allowed(plan.server, all, "--server-cpus"); !good) return good.error();
  if (auto good = check_allowed(plan.load, all, "--load-cpus"); !good) return good.error();
  if (request.elsewhere) {
    if (!request.server) plan.server = all;
    return plan;
  }
  if (request.server && request.load) {
    if (!request.share && overlap(plan.server, plan.load)) {
      return usage_error(
          "--server-cpus {} and --load-cpus {} overlap, so the server and the load "
          "generator would take time from each other; add --share-cpus to accept "
          "that",
          to_string(plan.server), to_string(plan.load));
    }
    return plan;
  }
  if (request.share) {
    if (!request.server) plan.server = all;
    if (!request.load) plan.load = all;
    return plan;
  }
  if (!request.server && !request.load) plan.server = first_half(allowed);
  if (request.load) plan.server = without(all, plan.load);
  if (!request.load) plan.load = without(all, plan.server);
  if (plan.server.empty() || plan.load.empty()) {
    return usage_error(
        "there is no free CPU: this process may use only {}, and the server and the "
        "load generator need one each; allow more CPUs (taskset), or add "
        "--share-cpus for numbers that are not comparable with others",
        to_string(all));
  }
  return plan;
}

}  // namespace muxbench
