#include "result/series.h"

#include <algorithm>

namespace muxbench::loadgen {

void Series::take(Nanoseconds elapsed, const Totals& totals, Nanoseconds slowest) {
  if (!running_) return;
  const auto ended = static_cast<std::size_t>((elapsed + kInterval - Nanoseconds(1)) / kInterval);
  if (ended <= samples_.size()) return;
  samples_.resize(ended);
  samples_.back() = {.requests = totals.requests - last_.requests,
                     .errors = totals.errors - last_.errors,
                     .latency_sum_ns = totals.latency_sum_ns - last_.latency_sum_ns,
                     .slowest = slowest};
  last_ = totals;
}

void Series::merge(const Series& other) {
  if (samples_.size() < other.samples_.size()) samples_.resize(other.samples_.size());
  for (std::size_t i = 0; i < other.samples_.size(); ++i) {
    samples_[i].requests += other.samples_[i].requests;
    samples_[i].errors += other.samples_[i].errors;
    samples_[i].latency_sum_ns += other.samples_[i].latency_sum_ns;
    samples_[i].slowest = std::max(samples_[i].slowest, other.samples_[i].slowest);
  }
}

}  // namespace muxbench::loadgen
