// Counts and rungs as the report has them (docs/report-format.md).
#pragma once

#include "driver/counting/syscall_counter.h"
#include "driver/json_reader.h"

namespace muxbench {

// "bpf" as "BPF by cgroup", for people.
std::string describe_rung(const std::string& rung);
// The keys source, syscalls, uring_operations and so on; without what is not known.
Json to_json(const SyscallCounts& counts, const std::string& rung);
Json to_json(const std::vector<Rung>& rungs);

}  // namespace muxbench
