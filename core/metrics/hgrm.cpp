#include "metrics/hgrm.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace muxbench {
namespace {

double milliseconds(double nanoseconds) { return nanoseconds / 1e6; }

// The quantile after `quantile` that HdrHistogram's own writer would take.
double next_tick(double quantile) {
  constexpr double kTicksPerHalving = 5;
  const double halvings = std::floor(std::log2(1 / (1 - quantile))) + 1;
  return quantile + 1 / (kTicksPerHalving * std::exp2(halvings));
}

double standard_deviation(const Histogram& histogram) {
  const auto mean = static_cast<double>(histogram.mean().count());
  double squares = 0;
  histogram.each_bucket([&](Nanoseconds floor, std::uint64_t count) {
    const double distance = static_cast<double>(floor.count()) - mean;
    squares += static_cast<double>(count) * distance * distance;
  });
  return std::sqrt(squares / static_cast<double>(histogram.count()));
}

}  // namespace

std::string to_hgrm(const Histogram& histogram) {
  std::string text = fmt::format("{:>14} {:>17} {:>10} {:>14}\n\n", "Value", "Percentile",
                                 "TotalCount", "1/(1-Percentile)");
  const auto out = std::back_inserter(text);
  const std::uint64_t total = histogram.count();
  std::uint64_t seen = 0;
  double tick = 0;
  histogram.each_bucket([&](Nanoseconds floor, std::uint64_t count) {
    seen += count;
    const double reached = static_cast<double>(seen) / static_cast<double>(total);
    const double value =
        milliseconds(static_cast<double>(std::max(floor, histogram.min()).count()));
    for (; seen < total && tick <= reached; tick = next_tick(tick)) {
      fmt::format_to(out, "{:14.6f} {:17.12f} {:10d} {:14.2f}\n", value, tick, seen,
                     1 / (1 - tick));
    }
  });
  if (total > 0) {
    fmt::format_to(out, "{:14.6f} {:17.12f} {:10d} {:>14}\n",
                   milliseconds(static_cast<double>(histogram.max().count())), 1.0, total, "inf");
  }
  fmt::format_to(out, "#[Mean    = {:14.6f}, StdDeviation   = {:14.6f}]\n",
                 milliseconds(static_cast<double>(histogram.mean().count())),
                 total == 0 ? 0 : milliseconds(standard_deviation(histogram)));
  fmt::format_to(out, "#[Max     = {:14.6f}, Total count    = {:14d}]\n",
                 milliseconds(static_cast<double>(histogram.max().count())), total);
  fmt::format_to(out, "#[Buckets = {:14d}, SubBuckets     = {:14d}]\n", 31, 1024);
  return text;
}

}  // namespace muxbench
