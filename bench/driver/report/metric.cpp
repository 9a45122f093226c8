#include "report/metric.h"

#include <algorithm>

namespace muxbench {

const std::vector<ComparedMetric>& compared_metrics() {
  static const std::vector<ComparedMetric> metrics{
      {"requests_per_second", "/load/achieved/requests_per_second", true},
      {"latency_mean_ns", "/load/latency_ns/mean", false},
      {"latency_p50_ns", "/load/latency_ns/p50", false},
      {"latency_p99_ns", "/load/latency_ns/p99", false},
      {"server_cpu_ns_per_request", "/server/cpu_ns_per_request", false},
      {"server_memory_bytes", "/server/memory/peak_bytes", false}};
  return metrics;
}

const ComparedMetric* find_compared_metric(std::string_view name) {
  const auto& metrics = compared_metrics();
  const auto found =
      std::find_if(metrics.begin(), metrics.end(),
                   [&](const ComparedMetric& metric) { return metric.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

std::string compared_metric_names() {
  std::string names;
  for (const ComparedMetric& metric : compared_metrics()) {
    names += (names.empty() ? "" : ", ") + metric.name;
  }
  return names;
}

std::map<std::string, double> compared_values(const Json& trial) {
  std::map<std::string, double> values;
  for (const ComparedMetric& metric : compared_metrics()) {
    const auto value = number_at(trial, metric.place);
    // Far beyond the knee an open loop sees no answer within its window. That is a measurement, but
    // no ratio can be made of it.
    const bool none_in_window = metric.more_is_better && value == 0.0;
    if (value && !none_in_window) values[metric.name] = *value;
  }
  return values;
}

std::string usual_metric(std::string_view mode) {
  return mode == "open" ? "latency_p99_ns" : "requests_per_second";
}

std::string answering_metric(const Json& experiment) {
  const auto named = text_at(experiment, "/metric");
  if (named && find_compared_metric(*named) != nullptr) return *named;
  return usual_metric(text_at(experiment, "/load/mode").value_or(""));
}

}  // namespace muxbench
