#include "system/server_usage.h"

#include <algorithm>
#include <fstream>

#include "system/child_process.h"

namespace muxbench {

CpuSample ServerUsage::cpu() const {
  if (group_ != nullptr) {
    if (const auto cpu = group_->cpu()) {
      return {cpu->total, cpu->split, group_->cpu_source()};
    }
  }
  // An orphan that has ended keeps its clock until the driver collects it.
  auto roots = adopted_orphans();
  roots.push_back(root_);
  return {tree_cpu(process_trees(roots)), {}, "process clocks and /proc/PID/stat"};
}

std::vector<pid_t> ServerUsage::processes() const {
  if (group_ != nullptr) return group_->processes();
  auto roots = adopted_orphans();
  std::erase_if(roots, [](pid_t pid) { return !is_living(pid); });
  roots.push_back(root_);
  return process_trees(roots);
}

std::optional<MemorySample> ServerUsage::memory() const { return memory_of(processes()); }

std::optional<MemorySample> ServerUsage::memory_of(const std::vector<pid_t>& pids) const {
  const auto bytes = anonymous_bytes(pids);
  if (!bytes) return {};
  std::string source = "Pss_Anon and Pss_Shmem";
  if (pids.size() > 1) source += fmt::format(" of {} processes", pids.size());
  return MemorySample{*bytes, std::move(source), peak_resident_bytes(pids)};
}

std::optional<MemorySample> ServerUsage::memory_if_cheap() const {
  constexpr std::size_t kFew = 32;  // about half a millisecond
  const auto pids = processes();
  return pids.size() <= kFew ? memory_of(pids) : std::nullopt;
}

std::optional<MemoryInUse> ServerUsage::memory_in_use() const {
  const auto process = anonymous_bytes(processes());
  if (!process) return {};
  MemoryInUse used{.process_bytes = *process};
  std::ifstream meminfo("/proc/meminfo");
  std::uint64_t kibibytes = 0;
  for (std::string key, unit; meminfo >> key >> kibibytes; std::getline(meminfo, unit)) {
    if (key == "Slab:" || key == "KernelStack:" || key == "PageTables:") {
      used.kernel_bytes += kibibytes * 1024;
    }
  }
  return used;
}

CpuSample operator+(const CpuSample& a, const CpuSample& b) {
  CpuSample sum{a.total + b.total, {}, a.source};
  if (a.split && b.split) sum.split = *a.split + *b.split;
  return sum;
}

CpuSample operator-(const CpuSample& end, const CpuSample& begin) {
  CpuSample used{end.total - begin.total, {}, end.source};
  if (!end.split || !begin.split) return used;
  used.split = *end.split - *begin.split;
  return used;
}

}  // namespace muxbench
