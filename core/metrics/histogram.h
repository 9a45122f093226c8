// A log-linear histogram of durations: exact below 2,048 ns, above that buckets at most 1/1024 of
// their value wide, so every quantile has 3 significant digits. Recording is a shift, an add and an
// increment; two histograms merge by adding. The idea is Gil Tene's HdrHistogram
// (hdrhistogram.org).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace muxbench {

// Memory from calloc(3), whose pages the kernel fills with zeros when they are first written to: of
// 250 KB a histogram touches the few pages that its samples lie in.
template <typename T>
struct ZeroedAllocator {
  using value_type = T;
  ZeroedAllocator() noexcept = default;
  template <typename U>
  explicit ZeroedAllocator(const ZeroedAllocator<U>&) noexcept {}
  T* allocate(std::size_t count) {
    if (void* memory = std::calloc(count, sizeof(T))) return static_cast<T*>(memory);
    throw std::bad_alloc();
  }
  void deallocate(T* memory, std::size_t) noexcept { std::free(memory); }
  template <typename U>
  void construct(U*) noexcept {}  // it is 0 already
  friend bool operator==(const ZeroedAllocator&, const ZeroedAllocator&) noexcept { return true; }
};

class Histogram {
 public:
  Histogram();
  Histogram(const Histogram& other) : Histogram() { merge(other); }
  Histogram(Histogram&&) noexcept = default;
  Histogram& operator=(Histogram other) noexcept {
    std::swap(buckets_, other.buckets_);
    sum_ = other.sum_;
    min_ = other.min_;
    max_ = other.max_;
    return *this;
  }

  // Values above 2^40 ns (18 minutes) count as that; negative ones (a clock that stepped) as 0.
  void record(Nanoseconds value) noexcept {
    const auto ns = static_cast<std::uint64_t>(
        std::clamp<Nanoseconds::rep>(value.count(), 0, Nanoseconds::rep{kLargest}));
    ++buckets_[bucket_of(ns)];
    sum_ += ns;
    min_ = std::min(min_, ns);
    max_ = std::max(max_, ns);
  }
  void merge(const Histogram& other) noexcept;
  void reset() noexcept;
  // Adds another one that was written down: what its each_bucket(), sum(), min() and max() gave.
  struct Written {
    std::vector<std::pair<Nanoseconds, std::uint64_t>> buckets;
    std::uint64_t sum = 0;
    Nanoseconds min{};
    Nanoseconds max{};
  };
  void merge(const Written& other) noexcept;

  // What many machines add up: every histogram has the same buckets. The sums of `buckets` and `sum`,
  // the least `min` and the largest `max` are the histogram of all.
  struct Parts {
    std::span<std::uint64_t> buckets;
    std::uint64_t& sum;
    std::uint64_t& min;
    std::uint64_t& max;
  };
  Parts parts() noexcept { return {buckets_, sum_, min_, max_}; }

  std::uint64_t count() const noexcept;
  std::uint64_t sum() const noexcept { return sum_; }  // of all samples, in ns
  Nanoseconds min() const noexcept { return Nanoseconds(max_ == 0 && min_ != 0 ? 0 : min_); }
  Nanoseconds max() const noexcept { return Nanoseconds(max_); }
  Nanoseconds mean() const noexcept;

  // The value that a share q (0 to 1) of the samples does not exceed, to within its bucket; 0
  // without samples.
  Nanoseconds quantile(double q) const noexcept;

  // Calls visit(lowest value of the bucket, count) for every bucket in use, ascending.
  void each_bucket(const std::function<void(Nanoseconds, std::uint64_t)>& visit) const;

  // The lowest value that shares a bucket with `value`.
  static Nanoseconds bucket_floor(Nanoseconds value) noexcept;

 private:
  static constexpr unsigned kDigitsBits = 10;  // 1024 buckets per power of two
  static constexpr unsigned kLargestBits = 40;
  static constexpr std::uint64_t kLargest = (std::uint64_t{1} << kLargestBits) - 1;

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > kDigitsBits + 1 ? width - (kDigitsBits + 1) : 0;
    return (std::size_t{shift} << kDigitsBits) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t floor_of(std::size_t bucket) noexcept;

  // The buckets from `first_used` to before `end_used` hold all samples: those of a short load are
  // few among 31,744.
  std::size_t first_used() const noexcept { return empty() ? 0 : bucket_of(min_); }
  std::size_t end_used() const noexcept { return empty() ? 0 : bucket_of(max_) + 1; }
  bool empty() const noexcept { return min_ > max_; }

  std::vector<std::uint64_t, ZeroedAllocator<std::uint64_t>> buckets_;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
};

}  // namespace muxbench
