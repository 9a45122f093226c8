#include "analysis/ratio.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace muxbench {
namespace {

constexpr double kTail = 0.025;  // on each side of a 95 % interval

LogEstimate mean_of_logs(std::vector<double> values) {
  // Sums round by their order: sorted, the same values give the same bits.
  std::sort(values.begin(), values.end());
  for (double& value : values) value = std::log(value);
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  const double squares = std::accumulate(
      values.begin(), values.end(), 0.0,
      [&](double sum, double value) { return sum + (value - mean) * (value - mean); });
  return {mean, squares / (n - 1) / n, n - 1};
}

}  // namespace

LogEstimate difference(const LogEstimate& a, const LogEstimate& b) {
  const double variance = a.variance + b.variance;
  const double parts = a.variance * a.variance / a.freedom + b.variance * b.variance / b.freedom;
  return {.mean = a.mean - b.mean,
          .variance = variance,
          .freedom = parts > 0 ? variance * variance / parts : std::min(a.freedom, b.freedom)};
}

Ratio to_ratio(const LogEstimate& log, std::size_t comparisons) {
  const double error = std::sqrt(log.variance);
  // Values that never vary (or only by rounding) are what they are.
  if (error < 1e-12) {
    const double ratio = std::exp(log.mean);
    return {ratio, ratio, ratio, std::abs(log.mean) < 1e-9 ? 1.0 : 0.0};
  }
  const boost::math::students_t distribution(log.freedom);
  const double tail = kTail / static_cast<double>(comparisons);
  const double reach = boost::math::quantile(boost::math::complement(distribution, tail)) * error;
  const double t = std::abs(log.mean) / error;
  return {std::exp(log.mean), std::exp(log.mean - reach), std::exp(log.mean + reach),
          std::min(1.0, 2 * boost::math::cdf(boost::math::complement(distribution, t)))};
}

Ratio ratio_of(std::vector<double> base, std::vector<double> now) {
  return to_ratio(difference(mean_of_logs(std::move(now)), mean_of_logs(std::move(base))));
}

std::vector<double> adjusted(const std::vector<double>& p, Correction correction) {
  const std::size_t n = p.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> result(n);
  if (correction == Correction::holm) {
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      largest = std::max(largest, p[order[i]] * static_cast<double>(n - i));
      result[order[i]] = std::min(largest, 1.0);
    }
  } else {
    double smallest = 1;
    for (std::size_t i = n; i-- > 0;) {
      smallest =
          std::min(smallest, p[order[i]] * static_cast<double>(n) / static_cast<double>(i + 1));
      result[order[i]] = smallest;
    }
  }
  return result;
}

}  // namespace muxbench
