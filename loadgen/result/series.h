// What happened in each 100 ms of the measured window: the course that a mean hides.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace muxbench::loadgen {

class Series {
 public:
  static constexpr Nanoseconds kInterval = std::chrono::milliseconds(100);

  struct Sample {
    std::uint64_t requests = 0;  // that succeeded
    std::uint64_t errors = 0;
    std::uint64_t latency_sum_ns = 0;
    Nanoseconds slowest{};
  };

  // What has been counted so far, of everything since the thread began.
  struct Totals {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::uint64_t latency_sum_ns = 0;
  };

  void start(const Totals& totals) noexcept {
    last_ = totals;
    running_ = true;
  }
  // When the next sample is due.
  Clock::time_point next(Clock::time_point begin) const noexcept {
    if (!running_) return Clock::time_point::max();
    return begin + kInterval * static_cast<Nanoseconds::rep>(samples_.size() + 1);
  }
  // Nothing before start(). The interval that `elapsed` ends gets what was added since the sample before; intervals that a
  // stopped thread slept through get nothing.
  void take(Nanoseconds elapsed, const Totals& totals, Nanoseconds slowest);

  void merge(const Series& other);
  const std::vector<Sample>& samples() const noexcept { return samples_; }

  explicit Series(std::vector<Sample> samples) : samples_(std::move(samples)) {}
  Series() = default;

 private:
  std::vector<Sample> samples_;
  Totals last_;
  bool running_ = false;
};

}  // namespace muxbench::loadgen
