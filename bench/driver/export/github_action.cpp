// github-action-benchmark's custom tools (https://github.com/benchmark-action/github-action-benchmark):
// an array of objects with name, unit and value, and optionally range and extra, all texts but the
// value. A file is either all smaller-is-better or all bigger-is-better. Flagged cells are left
// out, since the action raises alerts for every entry.
#include <fmt/format.h>

#include <vector>

#include "export/exports.h"

namespace muxbench {
namespace {

struct Entry {
  const char* metric;
  const char* name;
  const char* unit;
};

std::string entries_of(const ReportView& view, const std::vector<Entry>& entries) {
  Json list = Json::array();
  for (const ExperimentView& experiment : view.experiments) {
    for (const CellView& cell : experiment.cells) {
      if (!cell.measured() || !cell.flags.empty()) continue;
      for (const Entry& entry : entries) {
        const Statistics* s = cell.metric(entry.metric);
        if (s == nullptr) continue;
        list.push_back({{"name", fmt::format("{} {}", cell.id, entry.name)},
                        {"unit", entry.unit},
                        {"value", s->median},
                        {"range", fmt::format("± {:.4g}", s->stddev)},
                        {"extra", fmt::format("median of {} trials, {:.6g} to {:.6g}", s->n, s->min,
                                              s->max)}});
      }
    }
  }
  return list.dump(2) + "\n";
}

}  // namespace

std::string export_github_action(const ReportView& view) {
  return entries_of(view, {{"latency_mean_ns", "mean latency", "ns"},
                           {"latency_p99_ns", "p99 latency", "ns"},
                           {"server_cpu_ns_per_request", "server CPU per request", "ns"},
                           {"server_memory_bytes", "server memory", "bytes"}});
}

std::string export_github_action_bigger(const ReportView& view) {
  return entries_of(view, {{"requests_per_second", "throughput", "requests/s"}});
}

}  // namespace muxbench
