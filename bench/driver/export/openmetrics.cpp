// OpenMetrics 1.0 text (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md):
// gauges in base units, each family in one piece, `# EOF` at the end. Served with
// application/openmetrics-text; version=1.0.0; charset=utf-8, or read by promtool.
#include <fmt/format.h>

#include <array>

#include "export/exports.h"

namespace muxbench {
namespace {

struct Family {
  const char* metric;
  const char* name;
  const char* unit;  // also the end of the name
  double scale;      // of our unit
  const char* help;
};
constexpr std::array kFamilies{
    Family{"requests_per_second", "muxbench_requests_per_second", "", 1,
           "Completed requests a second."},
    Family{"latency_mean_ns", "muxbench_latency_mean_seconds", "seconds", 1e-9,
           "Mean latency of a request."},
    Family{"latency_p50_ns", "muxbench_latency_p50_seconds", "seconds", 1e-9,
           "Latency that half of the requests stayed below."},
    Family{"latency_p99_ns", "muxbench_latency_p99_seconds", "seconds", 1e-9,
           "Latency that 99 % of the requests stayed below."},
    Family{"server_cpu_ns_per_request", "muxbench_server_cpu_per_request_seconds", "seconds", 1e-9,
           "CPU time of the server for each request."},
    Family{"server_memory_bytes", "muxbench_server_memory_bytes", "bytes", 1,
           "Peak memory of the server."}};

std::string escaped(const std::string& text) {
  std::string value;
  for (const char c : text) {
    if (c == '\\' || c == '"') value += '\\';
    if (c == '\n') {
      value += "\\n";
    } else {
      value += c;
    }
  }
  return value;
}

std::string labels_of(const ExperimentView& experiment, const CellView& cell) {
  std::string flags;
  for (const Flag& flag : cell.flags) flags += (flags.empty() ? "" : " ") + flag.kind;
  std::string labels = fmt::format("model=\"{}\",experiment=\"{}\",flags=\"{}\"",
                                   escaped(cell.model), escaped(experiment.name), escaped(flags));
  for (const auto& [key, value] : cell.point) labels += fmt::format(",{}=\"{}\"", key, value);
  return labels;
}

std::string samples_of(const ReportView& view, const Family& family) {
  std::string samples;
  for (const ExperimentView& experiment : view.experiments) {
    for (const CellView& cell : experiment.cells) {
      const Statistics* s = cell.metric(family.metric);
      if (s == nullptr) continue;
      const std::string labels = labels_of(experiment, cell);
      const std::array values{std::pair{"median", s->median}, std::pair{"min", s->min},
                              std::pair{"max", s->max}};
      for (const auto& [statistic, value] : values) {
        samples += fmt::format("{}{{{},statistic=\"{}\"}} {}\n", family.name, labels, statistic,
                               value * family.scale);
      }
    }
  }
  return samples;
}

}  // namespace

std::string export_openmetrics(const ReportView& view) {
  std::string text;
  for (const Family& family : kFamilies) {
    const std::string samples = samples_of(view, family);
    if (samples.empty()) continue;
    text += fmt::format("# TYPE {} gauge\n", family.name);
    if (*family.unit != '\0') text += fmt::format("# UNIT {} {}\n", family.name, family.unit);
    text += fmt::format("# HELP {} {}\n{}", family.name, family.help, samples);
  }
  return text + "# EOF\n";
}

}  // namespace muxbench
