// The outcome of a run, and its JSON form (docs/report-format.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loadgen/errors.h"
#include "loadgen/options.h"
#include "metrics/histogram.h"
#include "metrics/usage.h"

namespace muxbench::loadgen {

struct ThreadUsage {
  int cpu = 0;
  CpuTime cpu_time;
  Nanoseconds wall{};
};

struct RunResult {
  bool interrupted = false;
  Nanoseconds duration{};  // of the measured window; 0: it never began
  std::uint32_t connections = 0;
  std::uint32_t idle = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  ErrorLog errors;
  Histogram latency;
  Histogram connect;
  std::vector<std::uint32_t> requests_per_connection;
  std::vector<ThreadUsage> threads;
  std::uint64_t peak_memory_bytes = 0;

  std::string_view status() const;  // "ok", "failed" or "interrupted"
  int exit_status() const;
  double requests_per_second() const;  // 0 without a window
};

struct Fairness {
  double jain = 0;  // 1: all connections served alike; 1/n: one of n served alone
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};

// Nothing when no connection was served.
std::optional<Fairness> fairness_of(const std::vector<std::uint32_t>& requests);

struct Percentile {
  const char* name;
  double quantile;
};

// Those of p50 to p99.99 that at least 10 samples lie beyond.
std::vector<Percentile> supported_percentiles(std::uint64_t samples);

// One line without its end, or indented for a file.
std::string to_json(const Options& options, const RunResult& result, bool compact);

}  // namespace muxbench::loadgen
