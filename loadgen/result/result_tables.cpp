#include "result/result_tables.h"

#include "metrics/percentiles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace muxbench::loadgen {
namespace {

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
