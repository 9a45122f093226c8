// A process and its descendants as /proc shows them: their CPU time and memory. The way to count
// where no cgroup can be made, and the way to read memory everywhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace muxbench {

struct ProcessStat {
  pid_t parent = 0;
  pid_t group = 0;
  Nanoseconds user{};             // in clock ticks of 10 ms
  Nanoseconds system{};           // likewise
  Nanoseconds children_user{};    // of children that ended and were waited for
  Nanoseconds children_system{};  // likewise
};

std::optional<ProcessStat> read_stat(pid_t pid);

// The process, its descendants, and the members of its process group that lost their parent.
std::vector<pid_t> process_tree(pid_t root);

struct TreeCpu {
  Nanoseconds user{};
  Nanoseconds system{};
  Nanoseconds total{};  // exact for living processes; ended children count in ticks
};
TreeCpu tree_cpu(const std::vector<pid_t>& pids);

std::optional<std::uint64_t> peak_resident_bytes(pid_t pid);  // VmHWM
// Pss: memory that processes share counts once between them.
std::optional<std::uint64_t> proportional_bytes(const std::vector<pid_t>& pids);

}  // namespace muxbench
