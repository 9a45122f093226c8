// Counts and backends as the report has them (docs/report-format.md).
#pragma once

#include "json/json.h"
#include "system/counting/syscall_counter.h"

namespace muxbench {

// "bpf" as "BPF by cgroup", for people.
std::string describe_backend(const std::string& backend);
// The keys source, syscalls, uring_operations and so on; without what is not known.
Json to_json(const SyscallCounts& counts, const std::string& backend);
Json to_json(const std::vector<CountingBackend>& backends);

}  // namespace muxbench
