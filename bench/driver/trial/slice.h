// A slice: some milliseconds of load on one server of a round, while those of all other models rest.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "metrics/histogram.h"
#include "plan/slices.h"
#include "system/server_usage.h"
#include "trial/load_result.h"

namespace muxbench {

struct Slice {
  unsigned block = 0;     // of its round
  Nanoseconds started{};  // since the run began
  Nanoseconds took{};     // from the command to the answer: warm-up, window and drain
  // Of the measured window.
  double requests = 0;
  double elapsed_ns = 0;
  double requests_per_second = 0;
  Histogram::Written latency;
  // Of all of it, both sides at rest before and after.
  double requests_in_run = 0;
  CpuSample server_cpu;
  bool disturbed = false;  // see disturbance.h
};

// Reads the load generator's answer; nothing if it is none.
std::optional<Slice> read_slice(const Json& document);
// Were all of its requests answered rightly?
bool is_ok(const Json& document);

struct SliceLatency {
  std::optional<double> mean_ns;
  std::optional<double> p50_ns;
  std::optional<double> p99_ns;  // of 100 requests or more
};
SliceLatency latency_of(const Slice& slice);

std::size_t undisturbed(const std::vector<Slice>& slices);

// The result of a whole session, with throughput and latency of its undisturbed slices alone; without
// either where there is none. What all of them add up to is its `latency_of_all_ns`.
LoadResult result_of_slices(const LoadResult& session, const std::vector<Slice>& slices);

}  // namespace muxbench
