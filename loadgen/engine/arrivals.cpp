#include "engine/arrivals.h"

#include <cmath>

#include "client/pattern.h"

namespace muxbench::loadgen {

void ArrivalSchedule::start(Instant origin, std::uint64_t rate) noexcept {
  // Hosts of equal rates have their ticks at 0, 1/3 and 2/3 of the time between two of one host.
  const double tick_ns = rate == 0 ? 0 : 1e9 / static_cast<double>(rate);
  const bool apart = kind_ == Arrival::uniform;
  origin_ =
      origin +
      Nanoseconds(apart ? static_cast<Nanoseconds::rep>(tick_ns * part_.host / part_.hosts) : 0);
  rate_ = rate;
  index_ = thread_;
  elapsed_ns_ = 0;
  compute();
}

void ArrivalSchedule::pop() noexcept {
  index_ += threads_;
  compute();
}

void ArrivalSchedule::compute() noexcept {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if (kind_ == Arrival::uniform) {
    // Whole seconds apart, or the product would overflow after some hours.
    const std::uint64_t ns = index_ / rate_ * kSecond + index_ % rate_ * kSecond / rate_;
    next_ = origin_ + Nanoseconds(ns);
    return;
  }
  const std::uint64_t stream = std::uint64_t{part_.host} << 50 | thread_ << 40;
  // 53 random bits make a number in (0, 1], whose logarithm is finite.
  const double uniform = static_cast<double>((mix(stream | drawn_++) >> 11) + 1) * 0x1.0p-53;
  const double mean_gap = 1e9 * static_cast<double>(threads_) / static_cast<double>(rate_);
  elapsed_ns_ -= std::log(uniform) * mean_gap;
  next_ = origin_ + Nanoseconds(static_cast<Nanoseconds::rep>(elapsed_ns_));
}

}  // namespace muxbench::loadgen
