// What a trial found, as the journal of a run keeps it: nothing is rounded and no bucket merged.
#pragma once

#include "json/fields.h"
#include "trial/trial.h"

namespace muxbench {

template <>
struct Fields<CpuTime> {
  static void each(auto& time, const auto& use) {
    use("user", time.user);
    use("system", time.system);
  }
};

template <>
struct Fields<CpuSample> {
  static void each(auto& sample, const auto& use) {
    use("total", sample.total);
    use("split", sample.split);
    use("source", sample.source);
  }
};

template <>
struct Fields<MemorySample> {
  static void each(auto& sample, const auto& use) {
    use("peak_bytes", sample.peak_bytes);
    use("source", sample.source);
    use("resident_peak_bytes", sample.resident_peak_bytes);
  }
};

template <>
struct Fields<SyscallCount> {
  static void each(auto& count, const auto& use) {
    use("calls", count.calls);
    use("again", count.again);
    use("errors", count.errors);
    use("result_sum", count.result_sum);
  }
};

template <>
struct Fields<SyscallCounts> {
  static void each(auto& counts, const auto& use) {
    use("calls", counts.calls);
    use("total_calls", counts.total_calls);
    use("ring_operations", counts.ring_operations);
    use("ring_completions", counts.ring_completions);
    use("voluntary_switches", counts.voluntary_switches);
    use("involuntary_switches", counts.involuntary_switches);
  }
};

template <>
struct Fields<Histogram::Written> {
  static void each(auto& latency, const auto& use) {
    use("buckets", latency.buckets);
    use("sum", latency.sum);
    use("min", latency.min);
    use("max", latency.max);
  }
};

template <>
struct Fields<Slice> {
  static void each(auto& slice, const auto& use) {
    use("block", slice.block);
    use("started", slice.started);
    use("took", slice.took);
    use("requests", slice.requests);
    use("elapsed_ns", slice.elapsed_ns);
    use("requests_per_second", slice.requests_per_second);
    use("latency", slice.latency);
    use("requests_in_run", slice.requests_in_run);
    use("server_cpu", slice.server_cpu);
    use("disturbed", slice.disturbed);
  }
};

template <>
struct Fields<SlicePlan> {
  static void each(auto& plan, const auto& use) {
    use("warmup", plan.warmup);
    use("length", plan.length);
    use("blocks", plan.blocks);
  }
};

template <>
struct Fields<LoadResult> {
  static void each(auto& load, const auto& use) { use("document", load.document); }
  static void complete(LoadResult& load) {
    if (auto read = read_load_result(std::move(load.document))) load = std::move(*read);
  }
};

template <>
struct Fields<TrialResult> {
  static void each(auto& trial, const auto& use) {
    use("cell", trial.cell);
    use("repetition", trial.repetition);
    use("order", trial.order);
    use("started", trial.started);
    use("took", trial.took);
    use("error", trial.error);
    use("server_failed", trial.server_failed);
    use("uncountable", trial.uncountable);
    use("stop_error", trial.stop_error);
    use("server_command", trial.server_command);
    use("load_command", trial.load_command);
    use("worker_requests", trial.worker_requests);
    use("not_accepted", trial.not_accepted);
    use("cpu", trial.cpu);
    use("memory", trial.memory);
    use("process_bytes_per_connection", trial.process_bytes_per_connection);
    use("kernel_bytes_per_connection", trial.kernel_bytes_per_connection);
    use("softirq", trial.softirq);
    use("load_waited", trial.load_waited);
    use("server_waited", trial.server_waited);
    use("throttled_periods", trial.throttled_periods);
    use("counts", trial.counts);
    use("slices", trial.slices);
    use("slice_plan", trial.slice_plan);
    use("load", trial.load);
  }
};

}  // namespace muxbench
