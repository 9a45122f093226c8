#include "analysis/ratio.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace muxbench {
namespace {

constexpr double kTail = 0.025;  // on each side of a 95 % interval

struct Moments {
  double mean = 0;
  double variance_of_mean = 0;
  double degrees = 0;
};

Moments moments_of_logs(std::vector<double> values) {
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

Ratio ratio_of(std::vector<double> base, std::vector<double> now) {
  const Moments a = moments_of_logs(std::move(base));
  const Moments b = moments_of_logs(std::move(now));
  const double difference = b.mean - a.mean;
  const double variance = a.variance_of_mean + b.variance_of_mean;
  const double error = std::sqrt(variance);
  // Values that never vary (or only by rounding) are what they are.
  if (error < 1e-12) {
    const double ratio = std::exp(difference);
    return {ratio, ratio, ratio, std::abs(difference) < 1e-9 ? 1.0 : 0.0};
  }
  // Welch and Satterthwaite.
  const double degrees = variance * variance /
                         (a.variance_of_mean * a.variance_of_mean / a.degrees +
                          b.variance_of_mean * b.variance_of_mean / b.degrees);
  const boost::math::students_t distribution(degrees);
  const double reach = boost::math::quantile(boost::math::complement(distribution, kTail)) * error;
  const double t = std::abs(difference) / error;
  return {std::exp(difference), std::exp(difference - reach), std::exp(difference + reach),
          std::min(1.0, 2 * boost::math::cdf(boost::math::complement(distribution, t)))};
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
