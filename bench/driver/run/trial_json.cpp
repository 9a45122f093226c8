#include "run/trial_json.h"

#include <cmath>

#include "report/histogram.h"
#include "report/report.h"
#include "system/counting/counts_json.h"
#include "system/softirq.h"

namespace muxbench {
namespace {

Json server_json(const TrialResult& trial) {
  Json server{{"command_line", trial.server_command}};
  if (trial.cpu) {
    Json& cpu = server["cpu"] = {{"total_ns", trial.cpu->total.count()}};
    if (trial.cpu->split) {
      cpu["user_ns"] = trial.cpu->split->user.count();
      cpu["system_ns"] = trial.cpu->split->system.count();
    }
    cpu["source"] = trial.cpu->source;
  }
  if (const auto per_request = trial.cpu_ns_per_request()) {
    server["cpu_ns_per_request"] = *per_request;
    if (*per_request > 0) server["requests_per_cpu_second"] = 1e9 / *per_request;
  }
  if (const auto requests = trial.requests_of_cpu(); trial.cpu && trial.cpu->split && requests) {
    const auto each = [&](Nanoseconds time) {
      return static_cast<double>(time.count()) / *requests;
    };
    server["user_ns_per_request"] = each(trial.cpu->split->user);
    server["system_ns_per_request"] = each(trial.cpu->split->system);
  }
  if (trial.softirq) {
    server["softirq_ns"] = trial.softirq->count();
    server["softirq_source"] = kSoftirqSource;
    if (const auto each = trial.softirq_ns_per_request()) server["softirq_ns_per_request"] = *each;
  }
  if (trial.memory) {
    Json& memory = server["memory"];
    memory = {{"peak_bytes", trial.memory->peak_bytes}, {"source", trial.memory->source}};
    if (const auto peak = trial.memory->resident_peak_bytes) {
      memory["resident_peak_bytes"] = *peak;
      memory["resident_peak_source"] = "VmHWM";
    }
  }
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) server[key] = *value;
  };
  put("process_bytes_per_connection", trial.process_bytes_per_connection);
  put("kernel_bytes_per_connection", trial.kernel_bytes_per_connection);
  if (trial.process_bytes_per_connection && trial.kernel_bytes_per_connection) {
    server["bytes_per_connection"] =
        *trial.process_bytes_per_connection + *trial.kernel_bytes_per_connection;
  }
  if (trial.process_bytes_per_connection || trial.kernel_bytes_per_connection) {
    server["bytes_per_connection_source"] =
        "Pss_Anon and Pss_Shmem of the processes; Slab, KernelStack and PageTables of "
        "/proc/meminfo";
  }
  if (!trial.worker_requests.empty()) server["worker_requests"] = trial.worker_requests;
  if (!trial.stop_error.empty()) server["stop_error"] = trial.stop_error;
  return server;
}

// Of each load host what the others are compared with; all of them together have the rest.
void keep_of_hosts(Json& load) {
  if (!load.contains("hosts")) return;
  for (Json& host : load["hosts"]) {
    Json kept = Json::object();
    for (const char* key :
         {"name", "status", "achieved", "requests", "requests_in_run", "errors", "latency_ns",
          "cpu", "clock_offset_ns", "round_trip_ns", "window_skew_ns"}) {
      if (host.contains(key)) kept[key] = std::move(host[key]);
    }
    if (kept.contains("latency_ns")) kept["latency_ns"].erase("histogram");
    host = std::move(kept);
  }
}

}  // namespace

report::Slices reported_slices(const TrialResult& round) {
  const auto whole = [](double number) { return static_cast<std::uint64_t>(std::llround(number)); };
  const auto maybe = [&](const std::optional<double>& number) {
    return number ? std::optional(whole(*number)) : std::nullopt;
  };
  const auto time = [](Nanoseconds duration) {
    return static_cast<std::uint64_t>(duration.count());
  };
  report::Slices slices{.length_ns = time(round.slice_plan.length),
                        .warmup_ns = time(round.slice_plan.warmup)};
  for (const Slice& slice : round.slices) {
    const SliceLatency latency = latency_of(slice);
    slices.block.push_back(slice.block);
    slices.started_ns.push_back(time(slice.started));
    slices.requests.push_back(whole(slice.requests));
    slices.elapsed_ns.push_back(whole(slice.elapsed_ns));
    slices.requests_in_run.push_back(whole(slice.requests_in_run));
    slices.server_cpu_ns.push_back(time(slice.server_cpu.total));
    slices.latency_mean_ns.push_back(maybe(latency.mean_ns));
    slices.latency_p50_ns.push_back(maybe(latency.p50_ns));
    slices.latency_p99_ns.push_back(maybe(latency.p99_ns));
    slices.disturbed.push_back(slice.disturbed ? 1 : 0);
  }
  return slices;
}

Json trial_json(const RunRecord& record, const TrialResult& trial) {
  Json json{{"cell", record.cells[trial.cell].id},
            {"repetition", trial.repetition},
            {"order", trial.order},
            {"started_ns", trial.started.count()},
            {"took_ns", trial.took.count()},
            {"status", trial.ok() ? "ok" : "failed"}};
  if (!trial.ok()) json["error"] = trial.error;
  if (trial.sliced()) {
    json["method"] = report::kSlices;
    json["slices"] = report::to_json(reported_slices(trial));
  }
  json["server"] = server_json(trial);
  if (!trial.load_command.empty()) json["load_command_line"] = trial.load_command;
  if (trial.server_waited) json["server_waited_ns"] = trial.server_waited->count();
  if (trial.load_waited) json["load_waited_ns"] = trial.load_waited->count();
  if (trial.not_accepted > 0) json["not_accepted"] = trial.not_accepted;
  if (trial.throttled_periods > 0) json["throttled_periods"] = trial.throttled_periods;
  if (trial.counts) {
    json["counts"] = to_json(*trial.counts, record.backends.back().name);
  }
  // Who gave up before there was anything to measure has told why, and no more.
  if (trial.load.document.is_object() && trial.load.document.contains("asked")) {
    json["load"] = trial.load.document;
    coarsen_histograms(json["load"]);
    keep_of_hosts(json["load"]);
  }
  return json;
}

}  // namespace muxbench
