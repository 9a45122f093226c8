// Processes and their descendants as /proc shows them: their CPU time and memory. The way to count
// where no cgroup can be made, and the way to read memory everywhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace muxbench {

struct ProcessStat {
  char state = '?';  // of proc(5); 'Z': it has ended and was not waited for
  pid_t parent = 0;
  Nanoseconds children{};     // CPU time of children that ended and were waited for; ticks of 10 ms
  std::uint64_t started = 0;  // ticks since boot: with the number it names the process for good
};

std::optional<ProcessStat> read_stat(pid_t pid);

// It runs, or may run again.
bool is_living(pid_t pid);

// The process and its descendants, also those that have ended and were not waited for; ascending.
std::vector<pid_t> process_tree(pid_t root);
// The same of several that do not descend from each other.
std::vector<pid_t> process_trees(const std::vector<pid_t>& roots);

// Also those that have ended and were not waited for.
std::vector<pid_t> children_of(pid_t parent);

// Of all of them, ascending.
std::vector<pid_t> threads_of(const std::vector<pid_t>& pids);

// Exact for living processes; children that ended and were waited for count in ticks.
Nanoseconds tree_cpu(const std::vector<pid_t>& pids);

// Pss_Anon and Pss_Shmem: what no file holds. What they share, as a child has from fork(2), counts
// once between them; and how many other programs map the same libraries changes nothing.
std::optional<std::uint64_t> anonymous_bytes(const std::vector<pid_t>& pids);
// VmHWM: the most that each process ever had resident; what they share counts in each of them.
std::optional<std::uint64_t> peak_resident_bytes(const std::vector<pid_t>& pids);

// Does any of their threads run, or wait for a CPU to run on (state R of proc(5))?
bool any_runnable(const std::vector<pid_t>& pids);

// How long its threads were ready to run and had no CPU (/proc/PID/task/TID/schedstat); nothing
// where the kernel does not tell.
std::optional<Nanoseconds> waited_for_cpu(pid_t pid);

}  // namespace muxbench
