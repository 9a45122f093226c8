#include "loadgen/result_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <iterator>
#include <utility>

namespace muxbench::loadgen {
namespace {

double milliseconds(double nanoseconds) { return nanoseconds / 1e6; }

// The quantile after `quantile` that HdrHistogram's own writer would take.
double next_tick(double quantile) {
  constexpr double kTicksPerHalving = 5;
  const double halvings = std::floor(std::log2(1 / (1 - quantile))) + 1;
  return quantile + 1 / (kTicksPerHalving * std::exp2(halvings));
}

double standard_deviation(const Histogram& histogram) {
  const auto mean = static_cast<double>(histogram.mean().count());
  double squares = 0;
  histogram.each_bucket([&](Nanoseconds floor, std::uint64_t count) {
    const double distance = static_cast<double>(floor.count()) - mean;
    squares += static_cast<double>(count) * distance * distance;
  });
  return std::sqrt(squares / static_cast<double>(histogram.count()));
}

using Field = std::pair<std::string, std::string>;

std::vector<Field> fields_of(const Options& options, const RunResult& result) {
  // RFC 4180: a field with a comma or a quotation mark is quoted.
  const auto quoted = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) {
      text.insert(at, 1, '"');
    }
    return "\"" + text + "\"";
  };
  std::vector<Field> fields{
      {"status", std::string(result.status())},
      {"target", quoted(options.target_text)},
      {"protocol", std::string(name_of(options.protocol))},
      {"rate", options.rate == 0 ? "" : std::to_string(options.rate)},
      {"connections", std::to_string(result.connections)},
      {"idle", std::to_string(result.idle)},
      {"threads", std::to_string(options.threads)},
      {"message_bytes",
       options.protocol == ProtocolKind::http ? "" : quoted(options.message_bytes.to_string())},
      {"pipeline", std::to_string(options.pipeline)},
      {"duration_ns", std::to_string(result.duration.count())},
      {"requests", std::to_string(result.requests)},
      {"failed_requests", std::to_string(result.failed_requests)},
      {"errors", std::to_string(result.errors.total())},
      {"requests_per_second", fmt::format("{:.1f}", result.requests_per_second())}};
  const std::uint64_t count = result.latency.count();
  const auto latency = [&](const std::string& name, bool known, Nanoseconds value) {
    fields.emplace_back("latency_" + name + "_ns", known ? std::to_string(value.count()) : "");
  };
  latency("mean", count > 0, result.latency.mean());
  std::size_t supported = supported_percentiles(count).size();
  for (const Percentile& percentile : supported_percentiles(~std::uint64_t{0})) {
    const bool known = supported > 0 && supported-- > 0;
    latency(percentile.name, known, result.latency.quantile(percentile.quantile));
  }
  latency("max", count > 0, result.latency.max());
  double busiest = 0;
  for (const ThreadUsage& usage : result.threads) busiest = std::max(busiest, utilisation(usage));
  fields.emplace_back("busiest_thread", fmt::format("{:.3f}", busiest));
  return fields;
}

}  // namespace

std::string to_hgrm(const Histogram& histogram) {
  std::string text = fmt::format("{:>14} {:>17} {:>10} {:>14}\n\n", "Value", "Percentile",
                                 "TotalCount", "1/(1-Percentile)");
  const auto out = std::back_inserter(text);
  const std::uint64_t total = histogram.count();
  std::uint64_t seen = 0;
  double tick = 0;
  histogram.each_bucket([&](Nanoseconds floor, std::uint64_t count) {
    seen += count;
    const double reached = static_cast<double>(seen) / static_cast<double>(total);
    const double value =
        milliseconds(static_cast<double>(std::max(floor, histogram.min()).count()));
    for (; seen < total && tick <= reached; tick = next_tick(tick)) {
      fmt::format_to(out, "{:14.6f} {:17.12f} {:10d} {:14.2f}\n", value, tick, seen,
                     1 / (1 - tick));
    }
  });
  if (total > 0) {
    fmt::format_to(out, "{:14.6f} {:17.12f} {:10d} {:>14}\n",
                   milliseconds(static_cast<double>(histogram.max().count())), 1.0, total, "inf");
  }
  fmt::format_to(out, "#[Mean    = {:14.6f}, StdDeviation   = {:14.6f}]\n",
                 milliseconds(static_cast<double>(histogram.mean().count())),
                 total == 0 ? 0 : milliseconds(standard_deviation(histogram)));
  fmt::format_to(out, "#[Max     = {:14.6f}, Total count    = {:14d}]\n",
                 milliseconds(static_cast<double>(histogram.max().count())), total);
  fmt::format_to(out, "#[Buckets = {:14d}, SubBuckets     = {:14d}]\n", 31, 1024);
  return text;
}

std::string to_csv(const std::vector<Step>& steps) {
  std::string text;
  for (const Step& step : steps) {
    std::vector<std::string> names;
    std::vector<std::string> values;
    for (auto& [name, value] : fields_of(step.options, step.result)) {
      names.push_back(name);
      values.push_back(value);
    }
    if (text.empty()) text = fmt::format("{}\n", fmt::join(names, ","));
    text += fmt::format("{}\n", fmt::join(values, ","));
  }
  return text;
}

}  // namespace muxbench::loadgen
