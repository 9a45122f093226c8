// Bencher Metric Format (https://bencher.dev/docs/reference/bencher-metric-format): benchmarks by
// name, each with measures of value, lower_value and upper_value. Bencher knows the measures
// `latency` (nanoseconds) and `throughput` (operations a second); the others it creates. A flagged
// cell carries the suffix that keeps Bencher from raising alerts for it.
#include <array>

#include "export/exports.h"

namespace muxbench {
namespace {

// Bencher's names: it has latency and throughput by itself, and creates the others.
struct Measure {
  const char* metric;
  const char* slug;
};
constexpr std::array kMeasures{Measure{"latency_mean_ns", "latency"},
                               Measure{"latency_p99_ns", "latency-p99"},
                               Measure{"requests_per_second", "throughput"},
                               Measure{"server_cpu_ns_per_request", "server-cpu-per-request"},
                               Measure{"server_memory_bytes", "server-memory"}};

}  // namespace

std::string export_bmf(const report::Report& report) {
  Json benchmarks = Json::object();
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      if (!cell.measured()) continue;
      for (const Measure& measure : kMeasures) {
        const bool ignored = forbidding_flag(cell.flags, measure.metric) != nullptr;
        if (const Statistics* s = cell.metric(measure.metric)) {
          benchmarks[cell.id + (ignored ? "-bencher-ignore" : "")][measure.slug] = {
              {"value", s->median}, {"lower_value", s->min}, {"upper_value", s->max}};
        }
      }
    }
  }
  return benchmarks.dump(2) + "\n";
}

}  // namespace muxbench
