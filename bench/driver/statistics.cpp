#include "driver/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace muxbench {

Statistics statistics_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  Statistics result{.n = n, .min = values.front(), .max = values.back()};
  result.median = (values[(n - 1) / 2] + values[n / 2]) / 2;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n);
  if (n > 1) {
    const double squares =
        std::accumulate(values.begin(), values.end(), 0.0, [&](double sum, double value) {
          return sum + (value - result.mean) * (value - result.mean);
        });
    result.stddev = std::sqrt(squares / static_cast<double>(n - 1));
  }
  return result;
}

bool ranges_overlap(const Statistics& a, const Statistics& b) noexcept {
  return a.min <= b.max && b.min <= a.max;
}

}  // namespace muxbench
