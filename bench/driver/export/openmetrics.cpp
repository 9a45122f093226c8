// OpenMetrics 1.0 text (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md):
// gauges in base units, each family in one piece, `# EOF` at the end. Served with
// application/openmetrics-text; version=1.0.0; charset=utf-8, or read by promtool.
#include <fmt/format.h>

#include <array>

#include "export/exports.h"

namespace muxbench {
namespace {

// Base units: seconds and bytes.
double scale_of(const Metric& metric) { return metric.unit == Unit::nanoseconds ? 1e-9 : 1; }

std::string_view unit_of(const Metric& metric) {
  if (metric.unit == Unit::nanoseconds) return "seconds";
  return metric.unit == Unit::bytes ? "bytes" : "";
}

// "muxbench_server_cpu_per_request_seconds": the key with its unit at the end.
std::string name_of(const Metric& metric) {
  std::string name(metric.key);
  if (metric.unit != Unit::nanoseconds) return "muxbench_" + name;
  name.erase(name.find("_ns"), 3);
  return "muxbench_" + name + "_seconds";
}

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

std::string labels_of(const report::Experiment& experiment, const report::Cell& cell) {
  std::string flags;
  for (const Flag& flag : cell.flags) flags += (flags.empty() ? "" : " ") + flag.kind;
  std::string labels = fmt::format("model=\"{}\",experiment=\"{}\",flags=\"{}\"",
                                   escaped(cell.model), escaped(experiment.name), escaped(flags));
  for (const auto& [key, value] : cell.point) labels += fmt::format(",{}=\"{}\"", key, value);
  return labels;
}

std::string samples_of(const report::Report& report, const Metric& metric) {
  const std::string name = name_of(metric);
  std::string samples;
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      const Statistics* s = cell.metric(metric.key);
      if (s == nullptr) continue;
      const std::string labels = labels_of(experiment, cell);
      const std::array values{std::pair{"median", s->median}, std::pair{"min", s->min},
                              std::pair{"max", s->max}};
      for (const auto& [statistic, value] : values) {
        samples += fmt::format("{}{{{},statistic=\"{}\"}} {}\n", name, labels, statistic,
                               value * scale_of(metric));
      }
    }
  }
  return samples;
}

// The ratio of each metric to that of the reference at the same point, with its 95 % interval.
std::string ratios_of(const report::Report& report) {
  std::string samples;
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      for (const auto& [metric, relative] : cell.relative) {
        const std::string labels =
            fmt::format("{},metric=\"{}\"", labels_of(experiment, cell), escaped(metric));
        const std::array values{std::pair{"ratio", relative.ratio}, std::pair{"low", relative.low},
                                std::pair{"high", relative.high}};
        for (const auto& [statistic, value] : values) {
          samples +=
              fmt::format("muxbench_ratio{{{},statistic=\"{}\"}} {}\n", labels, statistic, value);
        }
      }
    }
  }
  return samples;
}

}  // namespace

std::string export_openmetrics(const report::Report& report) {
  std::string text;
  for (const Metric& metric : metrics()) {
    if (!metric.compared) continue;
    const std::string samples = samples_of(report, metric);
    if (samples.empty()) continue;
    const std::string name = name_of(metric);
    text += fmt::format("# TYPE {} gauge\n", name);
    if (!unit_of(metric).empty()) text += fmt::format("# UNIT {} {}\n", name, unit_of(metric));
    text += fmt::format("# HELP {} {}\n{}", name, metric.description, samples);
  }
  if (const std::string ratios = ratios_of(report); !ratios.empty()) {
    text += "# TYPE muxbench_ratio gauge\n# HELP muxbench_ratio A metric over the reference's.\n" +
            ratios;
  }
  return text + "# EOF\n";
}

}  // namespace muxbench
