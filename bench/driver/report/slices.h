// The slices of a round: what a trial of method "slices" consists of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "json/json.h"

namespace muxbench::report {

// A list with one entry for each slice, all of the same length and sorted by block. Slices of one
// point with the same repetition and block were measured side by side. A slice that failed is not
// there. Times are in nanoseconds.
struct Slices {
  std::uint64_t length_ns = 0;  // of the window, as planned
  std::uint64_t warmup_ns = 0;
  std::vector<std::uint64_t> block;            // within the round
  std::vector<std::uint64_t> started_ns;       // since the start of the run
  std::vector<std::uint64_t> requests;         // answered within the window
  std::vector<std::uint64_t> elapsed_ns;       // of the window, as measured
  std::vector<std::uint64_t> requests_in_run;  // warm-up and drain included
  std::vector<std::uint64_t> server_cpu_ns;    // for all of these
  // Nothing where the window had too few requests.
  std::vector<std::optional<std::uint64_t>> latency_mean_ns;
  std::vector<std::optional<std::uint64_t>> latency_p50_ns;
  std::vector<std::optional<std::uint64_t>> latency_p99_ns;
  std::vector<std::uint8_t> disturbed;  // 1: other processes took a share of a CPU of either side

  std::size_t size() const noexcept { return block.size(); }
  friend bool operator==(const Slices&, const Slices&) = default;
};

// Throughput and latency of a cell with fewer undisturbed slices than this are withheld.
inline constexpr std::size_t kFewestUndisturbed = 20;

// As a report has them, with `null` for nothing.
Json to_json(const Slices& slices);

// What to_json() wrote, and what results/schema.json and consistent_slices() allow.
Slices read_slices(const Json& json);

// Whether the lists are equally long and the blocks ascend. The members are as the schema says.
bool consistent_slices(const Json& json);

}  // namespace muxbench::report
