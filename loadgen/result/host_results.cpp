#include "result/host_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.h"
#include "json/fields.h"

namespace muxbench {

template <>
struct Fields<CpuTime> {
  static void each(auto& time, const auto& use) {
    use("user", time.user);
    use("system", time.system);
  }
};

template <>
struct Fields<loadgen::ThreadUsage> {
  static void each(auto& usage, const auto& use) {
    use("cpu", usage.cpu);
    use("cpu_time", usage.cpu_time);
    use("wall", usage.wall);
    use("spun", usage.spun);
  }
};

template <>
struct Fields<loadgen::Series::Sample> {
  static void each(auto& sample, const auto& use) {
    use("requests", sample.requests);
    use("errors", sample.errors);
    use("latency_sum_ns", sample.latency_sum_ns);
    use("slowest", sample.slowest);
  }
};

template <>
struct Fields<loadgen::RunResult> {
  static void each(auto& result, const auto& use) {
    use("interrupted", result.interrupted);
    use("sliced", result.sliced);
    use("stop_reason", result.stop_reason);
    use("duration", result.duration);
    use("connections", result.connections);
    use("idle", result.idle);
    use("stalled", result.stalled);
    use("stalled_closed", result.stalled_closed);
    use("filling", result.filling);
    use("opening", result.opening);
    use("requests", result.requests);
    use("requests_in_window", result.requests_in_window);
    use("requests_in_run", result.requests_in_run);
    use("failed_requests", result.failed_requests);
    use("reconnects", result.reconnects);
    use("bytes_sent", result.bytes_sent);
    use("bytes_received", result.bytes_received);
    use("requests_per_connection", result.requests_per_connection);
    use("threads", result.threads);
    use("peak_memory_bytes", result.peak_memory_bytes);
  }
};

namespace loadgen {
namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Limits {
  double low;
  double high;
};

// `value_of`: 0 where it is unknown. Between two hosts only the slow one is named.
void compare(const std::vector<HostFigures>& hosts, double (*value_of)(const HostFigures&),
             const Limits& limits, std::string_view kind, std::string_view what,
             std::vector<HostFlag>& flags) {
  std::vector<double> values;
  for (const HostFigures& host : hosts) {
    if (const double value = value_of(host); value > 0) values.push_back(value);
  }
  if (values.size() < 2) return;
  const double middle = median(values);
  for (const HostFigures& host : hosts) {
    const double ratio = value_of(host) / middle;
    if (ratio <= 0 || (ratio >= limits.low && ratio <= limits.high)) continue;
    flags.push_back({std::string(kind),
                     fmt::format("load host {}: {} is {:.2f} times the median of all hosts: look "
                                 "for other work there, or a slower path",
                                 host.name, what, ratio)});
  }
}

double requests_by_weight(const HostFigures& host) {
  // One who answered nothing has a share, of almost nothing.
  return host.weight > 0 ? std::max(host.requests, 1e-3) / host.weight : 0;
}

double latency(const HostFigures& host) { return host.latency_mean_ns; }

void judge_skew(const std::vector<HostFigures>& hosts, Nanoseconds window,
                std::vector<HostFlag>& flags) {
  constexpr double kMost = 0.01;
  for (const HostFigures& host : hosts) {
    const Nanoseconds apart = host.window_skew + host.round_trip / 2;
    if (static_cast<double>(apart.count()) <= kMost * static_cast<double>(window.count())) continue;
    flags.push_back(
        {"window_skew", fmt::format("load host {}: its window of {} lay {} from that of the first "
                                    "host, known to {}: measure for longer",
                                    host.name, to_string(window), to_string(host.window_skew),
                                    to_string(host.round_trip / 2))});
  }
}

}  // namespace

Json pack(const RunResult& result) {
  Json json = to_fields(result);
  json["series"] = to_fields(result.series.samples());
  for (std::size_t i = 0; i < kErrorKindNames.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (result.errors.count(kind) == 0) continue;
    json["errors"].push_back({i, result.errors.count(kind), result.errors.first(kind)});
  }
  return json;
}

RunResult unpack(const Json& json) {
  auto result = from_fields<RunResult>(json);
  result.series = Series(from_fields<std::vector<Series::Sample>>(json.at("series")));
  if (!json.contains("errors")) return result;
  for (const Json& error : json.at("errors")) {
    result.errors.add(static_cast<ErrorKind>(error.at(0).get<int>()),
                      error.at(1).get<std::uint64_t>(), error.at(2).get<std::string>());
  }
  return result;
}

std::vector<HostFlag> judge_hosts(const std::vector<HostFigures>& hosts, Nanoseconds window) {
  constexpr double kNever = 1e300;
  const bool many = hosts.size() > 2;
  std::vector<HostFlag> flags;
  compare(hosts, requests_by_weight, {.low = 0.75, .high = many ? 1.5 : kNever}, "host_share",
          "its share of requests, by what it was to send,", flags);
  compare(hosts, latency, {.low = many ? 0.5 : 0, .high = many ? 1.5 : 1.3}, "host_latency",
          "its mean latency", flags);
  judge_skew(hosts, window, flags);
  return flags;
}

}  // namespace loadgen
}  // namespace muxbench
