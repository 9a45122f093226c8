#include "driver/counting/counts_json.h"

namespace muxbench {

std::string describe_rung(const std::string& rung) {
  if (rung == "bpf") return "BPF by cgroup";
  return rung == "perf" ? "perf events by cgroup" : "perf events inherited by process";
}

Json to_json(const SyscallCounts& counts, const std::string& rung) {
  Json calls = Json::object();
  for (const auto& [name, count] : counts.calls) {
    Json& call = calls[name] = {{"calls", count.calls}};
    if (count.again) call["eagain"] = *count.again;
    if (count.errors) call["errors"] = *count.errors;
    if (count.result_sum) call["result_sum"] = *count.result_sum;
  }
  Json json{{"source", describe_rung(rung)},
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

Json to_json(const std::vector<Rung>& rungs) {
  Json list = Json::array();
  for (const Rung& rung : rungs) {
    Json json{{"rung", rung.name}, {"used", rung.reason.empty()}};
    if (!rung.reason.empty()) json["reason"] = rung.reason;
    if (rung.self_test) {
      json["self_test"] = {{"expected_calls", rung.self_test->expected},
                           {"counted_calls", rung.self_test->counted}};
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace muxbench
