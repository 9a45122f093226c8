#include "loadgen/result.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace muxbench::loadgen {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells say it

Json asked_json(const Options& options) {
  Json asked{{"target", options.target_text},
             {"protocol", name_of(options.protocol)},
             {"mode", "closed"},
             {"connections", options.connections},
             {"idle", options.idle},
             {"threads", options.threads}};
  if (options.protocol == ProtocolKind::http) {
    asked["paths"] = options.paths;
    asked["body_reference"] = options.body_root.empty() ? "first response" : options.body_root;
  } else {
    asked["message_bytes"] = options.message_bytes;
  }
  asked["pipeline"] = 1;
  asked["warmup_ns"] = options.warmup.count();
  if (options.requests != 0) {
    asked["requests"] = options.requests;
  } else {
    asked["duration_ns"] = options.duration.count();
  }
  return asked;
}

Json errors_json(const ErrorLog& errors) {
  Json by_kind = Json::object();
  for (std::size_t i = 0; i < kErrorKindNames.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (errors.count(kind) == 0) continue;
    by_kind[kErrorKindNames[i]] = {{"count", errors.count(kind)}, {"first", errors.first(kind)}};
  }
  return {{"total", errors.total()}, {"by_kind", by_kind}};
}

Json distribution_json(const Histogram& histogram) {
  const std::uint64_t count = histogram.count();
  Json json{{"count", count}};
  if (count == 0) return json;
  json["mean"] = histogram.mean().count();
  json["min"] = histogram.min().count();
  json["max"] = histogram.max().count();
  for (const Percentile& percentile : supported_percentiles(count)) {
    json[percentile.name] = histogram.quantile(percentile.quantile).count();
  }
  return json;
}

Json buckets_json(const Histogram& histogram) {
  Json buckets = Json::array();
  histogram.each_bucket([&](Nanoseconds floor, std::uint64_t count) {
    buckets.push_back({floor.count(), count});
  });
  return {{"significant_digits", 3}, {"buckets", buckets}};
}

Json cpu_json(const std::vector<ThreadUsage>& usages) {
  CpuTime sum;
  Json threads = Json::array();
  for (const ThreadUsage& usage : usages) {
    sum = sum + usage.cpu_time;
    Json thread{{"cpu", usage.cpu}};
    if (usage.wall.count() > 0) {
      thread["utilisation"] = static_cast<double>(usage.cpu_time.total().count()) /
                              static_cast<double>(usage.wall.count());
    }
    threads.push_back(thread);
  }
  return {{"user_ns", sum.user.count()}, {"system_ns", sum.system.count()}, {"threads", threads}};
}

}  // namespace

std::string_view RunResult::status() const {
  if (interrupted) return "interrupted";
  return errors.total() == 0 && requests > 0 ? "ok" : "failed";
}

int RunResult::exit_status() const {
  if (interrupted) return kInterrupted;
  return static_cast<int>(status() == "ok" ? Exit::success : Exit::failure);
}

double RunResult::requests_per_second() const {
  if (duration.count() <= 0) return 0;
  return static_cast<double>(requests) * 1e9 / static_cast<double>(duration.count());
}

// Jain, Chiu, Hawe 1984: the square of the sum over n times the sum of squares.
std::optional<Fairness> fairness_of(const std::vector<std::uint32_t>& requests) {
  double sum = 0;
  double squares = 0;
  for (const double count : requests) {
    sum += count;
    squares += count * count;
  }
  if (sum == 0) return std::nullopt;
  const auto [least, most] = std::minmax_element(requests.begin(), requests.end());
  return Fairness{.jain = sum * sum / (static_cast<double>(requests.size()) * squares),
                  .least = *least,
                  .most = *most};
}

std::vector<Percentile> supported_percentiles(std::uint64_t samples) {
  constexpr std::uint64_t kBeyond = 10;
  std::vector<Percentile> supported;
  // With the share that lies beyond, as one of so many: exact, where 1 - 0.999 is not.
  for (const auto& [percentile, one_in] :
       {std::pair{Percentile{"p50", 0.5}, 2}, std::pair{Percentile{"p90", 0.9}, 10},
        std::pair{Percentile{"p99", 0.99}, 100}, std::pair{Percentile{"p99_9", 0.999}, 1'000},
        std::pair{Percentile{"p99_99", 0.9999}, 10'000}}) {
    if (samples >= kBeyond * static_cast<std::uint64_t>(one_in)) supported.push_back(percentile);
  }
  return supported;
}

std::string to_json(const Options& options, const RunResult& result, bool compact) {
  Json latency = distribution_json(result.latency);
  latency["histogram"] = buckets_json(result.latency);
  Json json{{"status", result.status()},
            {"asked", asked_json(options)},
            {"achieved",
             {{"requests_per_second", result.requests_per_second()},
              {"connections", result.connections},
              {"idle", result.idle},
              {"duration_ns", result.duration.count()}}},
            {"requests", result.requests},
            {"bytes", {{"sent", result.bytes_sent}, {"received", result.bytes_received}}},
            {"errors", errors_json(result.errors)},
            {"latency_ns", latency},
            {"connect_ns", distribution_json(result.connect)}};
  if (const auto fairness = fairness_of(result.requests_per_connection)) {
    json["fairness"] = {{"jain", fairness->jain},
                        {"min_requests", fairness->least},
                        {"max_requests", fairness->most}};
  }
  json["cpu"] = cpu_json(result.threads);
  json["memory"] = {{"peak_bytes", result.peak_memory_bytes}};
  // An error's example may quote bytes of the peer: whatever is not UTF-8 is replaced.
  return json.dump(compact ? -1 : 1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace muxbench::loadgen
