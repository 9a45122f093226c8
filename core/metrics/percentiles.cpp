#include "metrics/percentiles.h"

#include <utility>

namespace muxbench {

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

}  // namespace muxbench
