#include "report/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
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

std::optional<double> relative_half_width(const std::vector<double>& values) {
  std::vector<double> logarithms;
  for (const double value : values) {
    if (!(value > 0)) return {};
    logarithms.push_back(std::log(value));
  }
  if (logarithms.size() < 2) return {};
  const auto n = static_cast<double>(logarithms.size());
  const Statistics logs = statistics_of(std::move(logarithms));
  const boost::math::students_t distribution(n - 1);
  const double t = boost::math::quantile(boost::math::complement(distribution, 0.025));
  return std::expm1(t * logs.stddev / std::sqrt(n));
}

bool ranges_overlap(const Statistics& a, const Statistics& b) noexcept {
  return a.min <= b.max && b.min <= a.max;
}

}  // namespace muxbench
