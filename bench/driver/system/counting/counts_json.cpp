#include "system/counting/counts_json.h"

namespace muxbench {

std::string describe_backend(const std::string& backend) {
  if (backend == "bpf") return "BPF by cgroup";
  return backend == "perf" ? "perf events by cgroup" : "perf events inherited by process";
}

Json to_json(const SyscallCounts& counts, const std::string& backend) {
  Json calls = Json::object();
  for (const auto& [name, count] : counts.calls) {
    Json& call = calls[name] = {{"calls", count.calls}};
    if (count.again) call["eagain"] = *count.again;
    if (count.errors) call["errors"] = *count.errors;
    if (count.result_sum) call["result_sum"] = *count.result_sum;
  }
  Json json{{"source", describe_backend(backend)},
            {"total_calls", counts.total_calls},
            {"syscalls", std::move(calls)}};
  if (counts.ring_operations) {
    Json& operations = json["uring_operations"] = Json::object();
    for (const auto& [name, submitted] : *counts.ring_operations) operations[name] = submitted;
    json["uring_completions"] = counts.ring_completions.value_or(0);
  }
  json["context_switches"] = {{"voluntary", counts.voluntary_switches},
                              {"involuntary", counts.involuntary_switches}};
  return json;
}

Json to_json(const std::vector<CountingBackend>& backends) {
  Json list = Json::array();
  for (const CountingBackend& backend : backends) {
    Json json{{"rung", backend.name}, {"used", backend.reason.empty()}};
    if (!backend.reason.empty()) json["reason"] = backend.reason;
    if (backend.self_test) {
      json["self_test"] = {{"expected_calls", backend.self_test->expected},
                           {"counted_calls", backend.self_test->counted}};
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace muxbench
