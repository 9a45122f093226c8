// The percentile distribution of a cell's latencies, all its trials together, in HdrHistogram's
// text form (https://hdrhistogram.github.io/HdrHistogram/plotFiles.html plots it).
#include "metrics/hgrm.h"
#include "export/exports.h"

namespace muxbench {
namespace {

Histogram histogram_of(const Json& trials, const std::string& cell) {
  Histogram histogram;
  for (const Json& trial : trials) {
    if (trial.at("cell") != cell || trial.at("status") != "ok") continue;
    const Json::json_pointer place("/load/latency_ns/histogram/buckets");
    if (!trial.contains(place)) continue;
    for (const Json& bucket : trial.at(place)) {
      const Nanoseconds value(bucket.at(0).get<Nanoseconds::rep>());
      const auto count = bucket.at(1).get<std::uint64_t>();
      for (std::uint64_t i = 0; i < count; ++i) histogram.record(value);
    }
  }
  return histogram;
}

std::string any_cell(const ReportView& view) {
  for (const ExperimentView& experiment : view.experiments) {
    for (const CellView& cell : experiment.cells) {
      if (cell.measured()) return cell.id;
    }
  }
  return "(none was measured)";
}

}  // namespace

Result<std::string> export_hgrm(const ReportView& view, const std::string& cell) {
  if (cell.empty()) {
    return usage_error("--to hgrm holds one histogram; choose a cell with --cell, such as {}",
                       any_cell(view));
  }
  const Histogram histogram = histogram_of(view.json->at("muxbench").at("trials"), cell);
  if (histogram.count() == 0) {
    return usage_error("the report has no latencies of a cell {}; choose another, such as {}", cell,
                       any_cell(view));
  }
  return to_hgrm(histogram);
}

}  // namespace muxbench
