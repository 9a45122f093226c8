#include "report/metric.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace muxbench {
namespace {

constexpr std::array kMetrics{
    Metric{.key = "requests_per_second",
           .title = "throughput",
           .best = "Highest throughput",
           .worse = "Lower throughput",
           .description = "Completed requests a second.",
           .unit = Unit::per_second,
           .more_is_better = true,
           .path = "/load/achieved/requests_per_second",
           .compared = true},
    Metric{.key = "latency_mean_ns",
           .title = "mean latency",
           .best = "Lowest mean latency",
           .worse = "Higher mean latency",
           .description = "Mean latency of a request.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/load/latency_ns/mean",
           .compared = true},
    Metric{.key = "latency_p50_ns",
           .title = "median latency",
           .best = "Lowest median latency",
           .worse = "Higher median latency",
           .description = "Latency that half of the requests stayed below.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/load/latency_ns/p50",
           .compared = true},
    Metric{.key = "latency_p99_ns",
           .title = "p99 latency",
           .best = "Lowest p99",
           .worse = "Higher p99",
           .description = "Latency that 99 % of the requests stayed below.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/load/latency_ns/p99",
           .compared = true},
    Metric{.key = "server_cpu_ns_per_request",
           .title = "server CPU per request",
           .best = "Least server CPU per request",
           .worse = "More server CPU per request",
           .description = "CPU time of the server for each request.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/server/cpu_ns_per_request",
           .compared = true},
    Metric{.key = "requests_per_server_cpu_second",
           .title = "requests per second of server CPU time",
           .best = "Most requests per second of server CPU time",
           .worse = "Fewer requests per second of server CPU time",
           .description = "Requests for each second of the server's CPU time.",
           .unit = Unit::per_second,
           .more_is_better = true,
           .path = "/server/requests_per_cpu_second",
           .compared = false},
    Metric{.key = "server_user_ns_per_request",
           .title = "server CPU per request in user mode",
           .best = "Least server CPU per request in user mode",
           .worse = "More server CPU per request in user mode",
           .description = "CPU time of the server for each request, in user mode.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/server/user_ns_per_request",
           .compared = false},
    Metric{.key = "server_system_ns_per_request",
           .title = "server CPU per request in the kernel",
           .best = "Least server CPU per request in the kernel",
           .worse = "More server CPU per request in the kernel",
           .description = "CPU time of the server for each request, in the kernel.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/server/system_ns_per_request",
           .compared = false},
    Metric{.key = "softirq_ns_per_request",
           .title = "softirq time per request",
           .best = "Least softirq time per request",
           .worse = "More softirq time per request",
           .description =
               "CPU time of interrupts and of the network stack's work after them, on all "
               "CPUs of the server's machine, for each request.",
           .unit = Unit::nanoseconds,
           .more_is_better = false,
           .path = "/server/softirq_ns_per_request",
           .compared = false},
    Metric{.key = "server_memory_bytes",
           .title = "server memory",
           .best = "Least server memory",
           .worse = "More server memory",
           .description = "Peak memory of the server's processes, without files that they map.",
           .unit = Unit::bytes,
           .more_is_better = false,
           .path = "/server/memory/peak_bytes",
           .compared = true},
    Metric{.key = "server_bytes_per_connection",
           .title = "memory per connection",
           .best = "Least memory per connection",
           .worse = "More memory per connection",
           .description =
               "Memory for each connection: of the server's processes, and of the kernel for both "
               "ends.",
           .unit = Unit::bytes,
           .more_is_better = false,
           .path = "/server/bytes_per_connection",
           .compared = true},
    Metric{.key = "process_bytes_per_connection",
           .title = "process memory per connection",
           .best = "Least process memory per connection",
           .worse = "More process memory per connection",
           .description = "Memory of the server's processes for each connection.",
           .unit = Unit::bytes,
           .more_is_better = false,
           .path = "/server/process_bytes_per_connection",
           .compared = false},
    Metric{.key = "kernel_bytes_per_connection",
           .title = "kernel memory per connection",
           .best = "Least kernel memory per connection",
           .worse = "More kernel memory per connection",
           .description = "Kernel memory of both ends for each connection.",
           .unit = Unit::bytes,
           .more_is_better = false,
           .path = "/server/kernel_bytes_per_connection",
           .compared = false},
};

}  // namespace

std::string_view to_string(Unit unit) {
  switch (unit) {
    case Unit::per_second:
      return "1/s";
    case Unit::nanoseconds:
      return "ns";
    default:
      return "bytes";
  }
}

std::span<const Metric> metrics() { return kMetrics; }

const Metric* find_metric(std::string_view key) {
  const auto* found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                   [&](const Metric& metric) { return metric.key == key; });
  return found == kMetrics.end() ? nullptr : found;
}

const Metric& metric_of(std::string_view key) { return *find_metric(key); }

const Metric* find_compared_metric(std::string_view key) {
  const Metric* found = find_metric(key);
  return found != nullptr && found->compared ? found : nullptr;
}

std::string compared_metric_names() {
  std::string names;
  for (const Metric& metric : kMetrics) {
    if (metric.compared) names += fmt::format("{}{}", names.empty() ? "" : ", ", metric.key);
  }
  return names;
}

std::string format_value(const Metric& metric, double value) {
  switch (metric.unit) {
    case Unit::per_second:
      return format_rate(value);
    case Unit::nanoseconds:
      return format_time(value);
    default:
      return format_bytes(value);
  }
}

MetricValues metric_values(const Json& trial) {
  MetricValues values;
  for (const Metric& metric : kMetrics) {
    if (const auto value = number_at(trial, std::string(metric.path))) {
      values.emplace(metric.key, *value);
    }
  }
  return values;
}

MetricValues comparable_values(const MetricValues& values) {
  MetricValues comparable;
  for (const auto& [key, value] : values) {
    const Metric* metric = find_compared_metric(key);
    if (metric == nullptr || (metric->more_is_better && value == 0)) continue;
    comparable.emplace(key, value);
  }
  return comparable;
}

std::string usual_metric(std::string_view mode) {
  return mode == "open" ? "latency_p99_ns" : "requests_per_second";
}

Json metric_table() {
  Json table = Json::array();
  for (const Metric& metric : kMetrics) {
    table.push_back({{"key", metric.key},
                     {"title", metric.title},
                     {"unit", to_string(metric.unit)},
                     {"better", metric.more_is_better ? "more" : "less"},
                     {"path", metric.path},
                     {"compared", metric.compared}});
  }
  return table;
}

}  // namespace muxbench
