// Which CPUs the server runs on and which the load generator: disjoint, so that neither takes time
// from the other, and physical cores are not split between them while there are two or more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/result.h"

namespace muxbench {

struct Cpu {
  int number;
  int core;  // CPUs of one physical core share it
};

struct CpuRequest {
  std::optional<std::vector<int>> server;
  std::optional<std::vector<int>> load;
  bool share = false;      // the two may overlap
  bool elsewhere = false;  // the load comes from other machines
};

struct CpuPlan {
  std::vector<int> server;
  std::vector<int> load;
};

// The CPUs that this process may use (sched_getaffinity(2)).
std::vector<Cpu> allowed_cpus();
Result<CpuPlan> plan_cpus(const std::vector<Cpu>& allowed, const CpuRequest& request);

}  // namespace muxbench
