// Which percentiles a number of samples supports.
#pragma once

#include <cstdint>
#include <vector>

namespace muxbench {

struct Percentile {
  const char* name;
  double quantile;
};

// Those of p50 to p99.99 that at least 10 samples lie beyond.
std::vector<Percentile> supported_percentiles(std::uint64_t samples);

}  // namespace muxbench
