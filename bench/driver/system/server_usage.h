// What a server and all its processes have used: CPU time and memory, each with the name of the
// source that told, because the sources differ in what they see.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "system/cgroup.h"
#include "system/process_tree.h"

namespace muxbench {

struct CpuSample {
  Nanoseconds total{};
  std::optional<CpuTime> split;  // absent where only ticks of 10 ms per process would tell it
  std::string source;
};

struct MemorySample {
  std::uint64_t peak_bytes = 0;
  std::string source;
  std::optional<std::uint64_t> resident_peak_bytes;  // sum of VmHWM: an upper bound
};

// What connections cost: taken before there are any and while all are open.
struct MemoryInUse {
  std::uint64_t process_bytes = 0;  // anonymous memory of the server's processes
  std::uint64_t kernel_bytes = 0;   // slab, kernel stacks and page tables of the whole machine
};

class ServerUsage {
 public:
  // Without a group the process tree below `root` is counted, and what the driver adopted: orphans of
  // the server, which would be in no tree.
  ServerUsage(const Cgroup* group, pid_t root) : group_(group), root_(root) {}

  CpuSample cpu() const;
  std::optional<MemorySample> memory() const;
  // The same, or nothing when the server has so many processes that reading them takes long.
  std::optional<MemorySample> memory_if_cheap() const;
  std::optional<MemoryInUse> memory_in_use() const;
  std::vector<pid_t> processes() const;  // those of the orphans only while they live

 private:
  std::optional<MemorySample> memory_of(const std::vector<pid_t>& pids) const;

  const Cgroup* group_;
  pid_t root_;
};

CpuSample operator-(const CpuSample& end, const CpuSample& begin);
CpuSample operator+(const CpuSample& a, const CpuSample& b);  // of two windows

}  // namespace muxbench
