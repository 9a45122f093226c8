// The percentile distribution of a cell's latencies, all its trials together, in HdrHistogram's
// text form (https://hdrhistogram.github.io/HdrHistogram/plotFiles.html plots it).
#include "metrics/hgrm.h"
#include "export/exports.h"

namespace muxbench {
namespace {

Histogram histogram_of(const std::vector<report::Trial>& trials, const std::string& cell) {
  Histogram histogram;
  for (const report::Trial& trial : trials) {
    if (trial.cell != cell || !trial.ok) continue;
    const Json::json_pointer place("/load/latency_ns/histogram/buckets");
    if (!trial.json.contains(place)) continue;
    for (const Json& bucket : trial.json.at(place)) {
      const Nanoseconds value(bucket.at(0).get<Nanoseconds::rep>());
      const auto count = bucket.at(1).get<std::uint64_t>();
      for (std::uint64_t i = 0; i < count; ++i) histogram.record(value);
    }
  }
  return histogram;
}

std::string any_cell(const report::Report& report) {
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      if (cell.measured()) return cell.id;
    }
  }
  return "(none was measured)";
}

}  // namespace

Result<std::string> export_hgrm(const report::Report& report, const std::string& cell) {
  if (cell.empty()) {
    return usage_error("--to hgrm holds one histogram; choose a cell with --cell, such as {}",
                       any_cell(report));
  }
  const Histogram histogram = histogram_of(report.trials, cell);
  if (histogram.count() == 0) {
    return usage_error("the report has no latencies of a cell {}; choose another, such as {}", cell,
                       any_cell(report));
  }
  return to_hgrm(histogram);
}

}  // namespace muxbench
