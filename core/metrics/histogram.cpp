#include "metrics/histogram.h"

#include <cmath>

namespace muxbench {

Histogram::Histogram() : buckets_(bucket_of(kLargest) + 1) {}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = other.first_used(); i < other.end_used(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::merge(const Written& other) noexcept {
  if (other.buckets.empty()) return;
  for (const auto& [floor, count] : other.buckets) {
    buckets_[bucket_of(static_cast<std::uint64_t>(floor.count()) & kLargest)] += count;
  }
  sum_ += other.sum;
  min_ = std::min(min_, static_cast<std::uint64_t>(other.min.count()));
  max_ = std::max(max_, static_cast<std::uint64_t>(other.max.count()));
}

void Histogram::reset() noexcept {
  for (std::size_t i = first_used(), end = end_used(); i < end; ++i) buckets_[i] = 0;
  sum_ = 0;
  min_ = ~std::uint64_t{0};
  max_ = 0;
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = first_used(); i < end_used(); ++i) sum += buckets_[i];
  return sum;
}

Nanoseconds Histogram::mean() const noexcept {
  const std::uint64_t samples = count();
  return Nanoseconds(samples == 0 ? 0 : sum_ / samples);
}

Nanoseconds Histogram::quantile(double q) const noexcept {
  const std::uint64_t samples = count();
  if (samples == 0) return Nanoseconds(0);
  const double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(samples));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, samples);
  std::uint64_t seen = 0;
  for (std::size_t i = first_used(); i < end_used(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return Nanoseconds(std::clamp(floor_of(i), min_, max_));
  }
  return max();
}

void Histogram::each_bucket(const std::function<void(Nanoseconds, std::uint64_t)>& visit) const {
  for (std::size_t i = first_used(); i < end_used(); ++i) {
    if (buckets_[i] != 0) visit(Nanoseconds(floor_of(i)), buckets_[i]);
  }
}

Nanoseconds Histogram::bucket_floor(Nanoseconds value) noexcept {
  return Nanoseconds(floor_of(bucket_of(static_cast<std::uint64_t>(value.count()))));
}

std::uint64_t Histogram::floor_of(std::size_t bucket) noexcept {
  constexpr std::size_t kPerPower = std::size_t{1} << kDigitsBits;
  if (bucket < 2 * kPerPower) return bucket;
  const std::size_t shift = bucket / kPerPower - 1;
  return (bucket - shift * kPerPower) << shift;
}

}  // namespace muxbench
