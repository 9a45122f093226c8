#include "result/result_json.h"

#include "json/histogram_json.h"

namespace muxbench::loadgen {
namespace {

Json asked_json(const Options& options) {
  Json asked{{"target", options.target_text},
             {"protocol", name_of(options.protocol)},
             {"mode", options.rate != 0 ? "open" : "closed"},
             {"connections", options.connections},
             {"idle", options.idle},
             {"threads", options.threads}};
  if (options.rate != 0) {
    asked["rate"] = options.rate;
    asked["arrival"] = name_of(options.arrival);
    asked["max_lag_ns"] = options.max_lag.count();
  }
  if (options.churn) asked["churn"] = name_of(options.closer);
  if (options.connect_rate != 0) asked["connect_rate"] = options.connect_rate;
  if (options.stalled() != 0) {
    asked["stalled"] = {{"mid_message", options.stall_mid_message},
                        {"never_read", options.stall_never_read},
                        {"trickle", options.stall_trickle}};
  }
  if (options.protocol == ProtocolKind::http) {
    asked["paths"] = options.paths;
    asked["body_reference"] = options.body_root.empty() ? "first response" : options.body_root;
  } else {
    asked["message_bytes"] = options.message_bytes.mean();
    if (options.message_bytes.fixed() == 0) {
      asked["message_sizes"] = options.message_bytes.to_string();
    }
  }
  if (options.busy_poll) asked["busy_poll"] = true;
  asked["pipeline"] = options.pipeline;
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

Json cpu_json(const std::vector<ThreadUsage>& usages) {
  CpuTime sum;
  Json threads = Json::array();
  for (const ThreadUsage& usage : usages) {
    sum = sum + usage.cpu_time;
    Json thread{{"cpu", usage.cpu}};
    if (usage.wall.count() > 0) {
      thread["utilisation"] = utilisation(usage);
      thread["saturated"] = saturated(usage);
      if (usage.spun.count() > 0) thread["polling_ns"] = usage.spun.count();
    }
    threads.push_back(thread);
  }
  return {{"user_ns", sum.user.count()}, {"system_ns", sum.system.count()}, {"threads", threads}};
}

// The intervals' numbers side by side, as a chart takes them.
Json series_json(const Series& series) {
  Json requests = Json::array();
  Json errors = Json::array();
  Json mean = Json::array();
  Json max = Json::array();
  for (const Series::Sample& sample : series.samples()) {
    requests.push_back(sample.requests);
    errors.push_back(sample.errors);
    mean.push_back(sample.requests == 0 ? 0 : sample.latency_sum_ns / sample.requests);
    max.push_back(sample.slowest.count());
  }
  return {{"interval_ns", Series::kInterval.count()},
          {"requests", requests},
          {"errors", errors},
          {"mean_ns", mean},
          {"max_ns", max}};
}

void add_hosts(const HostResults& results, Json& json) {
  Json& hosts = json["hosts"] = Json::array();
  for (const HostResult& result : results.hosts) {
    Json host{{"name", result.name}};
    host.update(Json::parse(result.json));
    host["clock_offset_ns"] = result.clock_offset.count();
    host["round_trip_ns"] = result.round_trip.count();
    host["window_skew_ns"] = result.window_skew.count();
    hosts.push_back(std::move(host));
  }
  Json& flags = json["host_flags"] = Json::array();
  for (const HostFlag& flag : results.flags) {
    flags.push_back({{"kind", flag.kind}, {"detail", flag.detail}});
  }
}

Json run_json(const Options& options, const RunResult& result) {
  Json latency = distribution_json(result.latency);
  latency["histogram"] = histogram_json(result.latency);
  Json json{{"status", result.status()},
            {"asked", asked_json(options)},
            {"achieved",
             {{"requests_per_second", result.requests_per_second()},
              {"connections", result.connections},
              {"idle", result.idle},
              {"opening_ns", result.opening.count()},
              {"duration_ns", result.duration.count()}}},
            {"requests", result.requests},
            {"requests_in_run", result.requests_in_run},
            {"failed_requests", result.failed_requests},
            {"bytes", {{"sent", result.bytes_sent}, {"received", result.bytes_received}}},
            {"errors", errors_json(result.errors)},
            {"latency_ns", latency},
            {"connect_ns", distribution_json(result.connect)},
            {"first_byte_ns", distribution_json(result.first_byte)}};
  if (options.protocol == ProtocolKind::http) json["reconnects"] = result.reconnects;
  if (!result.stop_reason.empty()) json["stop_reason"] = result.stop_reason;
  if (options.stalled() != 0) {
    json["stalled"] = {{"opened", result.stalled}, {"closed_by_server", result.stalled_closed}};
    if (result.filling) json["stalled"]["filling_ns"] = result.filling->count();
  }
  if (options.rate != 0) {
    json["schedule_lag_ns"] = distribution_json(result.schedule_lag);
    json["generator_lag_ns"] = distribution_json(result.own_lag);
  }
  json["series"] = series_json(result.series);
  if (const auto fairness = fairness_of(result.requests_per_connection)) {
    json["fairness"] = {{"jain", fairness->jain},
                        {"min_requests", fairness->least},
                        {"max_requests", fairness->most}};
  }
  json["cpu"] = cpu_json(result.threads);
  json["memory"] = {{"peak_bytes", result.peak_memory_bytes}};
  if (result.hosts) add_hosts(*result.hosts, json);
  return json;
}

// An error's example may quote bytes of the peer: whatever is not UTF-8 is replaced.
std::string dump(const Json& json, bool compact) {
  return json.dump(compact ? -1 : 1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const SliceResult& slice) {
  Json json{{"status", slice.status()},
            {"requests", slice.requests},
            {"elapsed_ns", slice.elapsed.count()},
            {"requests_per_second", slice.requests_per_second},
            {"requests_in_run", slice.requests_in_run},
            {"failed_requests", slice.failed_requests},
            {"errors", slice.errors},
            {"cpu_ns", slice.cpu.count()},
            {"drain_ns", slice.drain.count()},
            {"latency_ns",
             {{"count", slice.latency.count()},
              {"sum", slice.latency.sum()},
              {"min", slice.latency.min().count()},
              {"max", slice.latency.max().count()},
              {"buckets", buckets_json(slice.latency)}}}};
  if (slice.schedule_lag.count() > 0) {
    json["schedule_lag_ns"] = slice.schedule_lag.quantile(0.99).count();
  }
  return Json{{"slice", json}}.dump();
}

std::string to_json(const Options& options, const RunResult& result, bool compact) {
  return dump(run_json(options, result), compact);
}

std::string to_json(const std::vector<Step>& steps, bool compact) {
  if (steps.size() == 1) return to_json(steps.front().options, steps.front().result, compact);
  Json json{{"status", worst_of(steps).status()}, {"steps", Json::array()}};
  for (const Step& step : steps) json["steps"].push_back(run_json(step.options, step.result));
  return dump(json, compact);
}

}  // namespace muxbench::loadgen
