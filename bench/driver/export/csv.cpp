// Comma-separated values as RFC 4180 has them, except that lines end as they do on Unix. One row
// for each cell; what was not measured is empty. A ratio is to the reference at the same point, with
// its 95 % interval.
#include <fmt/format.h>

#include "export/exports.h"
#include "report/metric.h"

namespace muxbench {
namespace {

// A spreadsheet would run what begins like a formula.
std::string field(const std::string& words) {
  const bool formula =
      !words.empty() && std::string_view("=+-@\t\r").find(words.front()) != std::string_view::npos;
  const std::string text = formula ? "'" + words : words;
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string escaped = "\"";
  for (const char c : text) escaped += c == '"' ? std::string("\"\"") : std::string(1, c);
  return escaped + "\"";
}

}  // namespace

std::string export_csv(const report::Report& report) {
  std::string text = "cell,model,experiment,point,status,reason,flags,trials";
  for (const Metric& metric : metrics()) {
    if (!metric.compared) continue;
    text += fmt::format(",{0}_median,{0}_mean,{0}_stddev,{0}_min,{0}_max", metric.key);
    text += fmt::format(",{0}_ratio,{0}_ratio_low,{0}_ratio_high", metric.key);
  }
  text += "\n";
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      std::string flags;
      for (const Flag& flag : cell.flags) flags += (flags.empty() ? "" : " ") + flag.kind;
      const Statistics* rate = cell.metric("requests_per_second");
      text += fmt::format("{},{},{},{},{},{},{},{}", field(cell.id), field(cell.model),
                          field(experiment.name), field(to_string(cell.point)), cell.status,
                          field(cell.reason), field(flags), rate == nullptr ? 0 : rate->n);
      for (const Metric& metric : metrics()) {
        if (!metric.compared) continue;
        const Statistics* s = cell.metric(metric.key);
        text += s == nullptr
                    ? ",,,,,"
                    : fmt::format(",{},{},{},{},{}", s->median, s->mean, s->stddev, s->min, s->max);
        const auto relative = cell.relative.find(std::string(metric.key));
        text += relative == cell.relative.end()
                    ? ",,,"
                    : fmt::format(",{},{},{}", relative->second.ratio, relative->second.low,
                                  relative->second.high);
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace muxbench
