#include "analysis/inference.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace muxbench {
namespace {

constexpr double kAlpha = 0.05;

double two_sided_quantile(double freedom, std::size_t comparisons) {
  const boost::math::students_t distribution(freedom);
  const double tail = kAlpha / 2 / static_cast<double>(std::max<std::size_t>(comparisons, 1));
  return boost::math::quantile(boost::math::complement(distribution, tail));
}

}  // namespace

double LineFit::half_width(std::size_t comparisons) const {
  return two_sided_quantile(freedom, comparisons) * error;
}

std::optional<LineFit> fit_line(const std::vector<Observation>& observations) {
  double n = 0;
  double sum_x = 0;
  double sum_y = 0;
  std::size_t values = 0;
  for (const auto& [x, trials] : observations) {
    values += trials.empty() ? 0 : 1;
    for (const double y : trials) {
      n += 1;
      sum_x += x;
      sum_y += y;
    }
  }
  if (values < 3) return {};
  const double mean_x = sum_x / n;
  double squares = 0;
  double products = 0;
  for (const auto& [x, trials] : observations) {
    for (const double y : trials) {
      squares += (x - mean_x) * (x - mean_x);
      products += (x - mean_x) * (y - sum_y / n);
    }
  }
  if (squares <= 0) return {};
  LineFit fit{.trials = static_cast<std::size_t>(n)};
  fit.slope = products / squares;
  fit.intercept = sum_y / n - fit.slope * mean_x;
  double variance = 0;
  double most_leverage = 0;
  for (const auto& [x, trials] : observations) {
    const double leverage = 1 / n + (x - mean_x) * (x - mean_x) / squares;
    if (!trials.empty() && leverage > most_leverage) {
      most_leverage = leverage;
      fit.freedom = static_cast<double>(trials.size()) - 1;
    }
    if (leverage >= 1) return {};  // a single trial decides: its error is unknown
    for (const double y : trials) {
      const double residual = (y - fit.intercept - fit.slope * x) / (1 - leverage);
      variance += (x - mean_x) * (x - mean_x) * residual * residual;
    }
  }
  if (fit.freedom < 2) return {};
  fit.error = std::sqrt(variance) / squares;
  return fit;
}

}  // namespace muxbench
