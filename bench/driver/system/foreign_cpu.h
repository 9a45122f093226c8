// CPU time that other processes took while one server and its load generator worked: what makes a
// slice a disturbed one. It is what all processes used on the two sides' CPUs, minus what the two
// used themselves.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace muxbench {

class ForeignCpu {
 public:
  // The machine's total for each CPU, from cpuacct.usage_percpu of cgroup v1's root or the running
  // time in /proc/schedstat, both exact to the context switch. An error says that it has neither.
  static Result<ForeignCpu> open();

  // What all processes have used of these CPUs since boot.
  Nanoseconds used(const std::vector<int>& cpus) const;

 private:
  enum class Source { cpuacct, schedstat };
  ForeignCpu(Source source, std::string path) : source_(source), path_(std::move(path)) {}

  Source source_;
  std::string path_;
};

// What the two files say of these CPUs together, in ns; CPUs that they do not have count as 0.
// cpuacct.usage_percpu, "123 456": of CPU 0, CPU 1 and so on.
Nanoseconds sum_of_cpuacct(const std::string& text, const std::vector<int>& cpus);
// /proc/schedstat, of each CPU "cpu0 0 0 0 0 0 0 RUNNING WAITING SLICES".
Nanoseconds sum_of_schedstat(const std::string& text, const std::vector<int>& cpus);

}  // namespace muxbench
