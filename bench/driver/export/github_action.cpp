// github-action-benchmark's custom tools (https://github.com/benchmark-action/github-action-benchmark):
// an array of objects with name, unit and value, and optionally range and extra, all texts but the
// value. A file is either all smaller-is-better or all bigger-is-better. Flagged cells are left
// out, since the action raises alerts for every entry.
#include <fmt/format.h>

#include <string_view>

#include "export/exports.h"

namespace muxbench {
namespace {

// The action alerts for every entry, and the median moves with the mean.
constexpr std::string_view kLeftOut = "latency_p50_ns";

// Of the metrics where more is better, or of the others.
std::string entries_of(const report::Report& report, bool more_is_better) {
  Json list = Json::array();
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      if (!cell.measured()) continue;
      for (const Metric& metric : metrics()) {
        const Statistics* s = cell.metric(metric.key);
        const bool wanted =
            metric.compared && metric.more_is_better == more_is_better && metric.key != kLeftOut;
        if (s == nullptr || !wanted || forbidding_flag(cell.flags, metric.key) != nullptr) continue;
        const bool rate = metric.unit == Unit::per_second;
        list.push_back({{"name", fmt::format("{} {}", cell.id, metric.title)},
                        {"unit", rate ? "requests/s" : to_string(metric.unit)},
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

std::string export_github_action(const report::Report& report) { return entries_of(report, false); }

std::string export_github_action_bigger(const report::Report& report) {
  return entries_of(report, true);
}

}  // namespace muxbench
