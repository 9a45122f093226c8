#include "time_plan.h"

#include <algorithm>

namespace muxbench {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLeast = 128;
constexpr std::size_t kMost = 32'768;  // pairs: beyond, they take gigabytes of kernel memory
constexpr Nanoseconds kComfortable = milliseconds(2);
constexpr Nanoseconds kLongest = milliseconds(50);
constexpr Nanoseconds kShortest = std::chrono::microseconds(200);

// Half of the sets are made from what is open already (watched_set.h); watching costs about a quarter
// of opening. A sample is taken four times at the least (samples.h), however long it is, and in a third of the
// benchmarks of a size every pair is used in each.
constexpr int kLeastSamples = 4;

Nanoseconds fixed_cost(std::size_t largest, const HostCosts& host, const Amounts& amounts) {
  Nanoseconds sum{};
  for (const std::size_t size : sizes_up_to(largest)) {
    sum += static_cast<long>(size) * (host.open_pair * 3 / 4 + kLeastSamples * host.use_pair / 3);
  }
  return sum * static_cast<long>(amounts.waiting) * amounts.repetitions;
}

std::size_t runs(std::size_t largest, const Amounts& amounts) {
  return (sizes_up_to(largest).size() * amounts.waiting + amounts.others) * amounts.repetitions;
}

}  // namespace

std::vector<std::size_t> sizes_up_to(std::size_t largest) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 8; size <= largest; size *= 4) sizes.push_back(size);
  if (sizes.empty() || largest >= sizes.back() + sizes.back() / 2) sizes.push_back(largest);
  return sizes;
}

Plan make_plan(Nanoseconds budget, const HostCosts& host, const Amounts& amounts) {
  Plan plan{};
  budget = budget * 2 / 3;
  for (std::size_t largest = kMost;; largest /= 4) {
    plan.largest = std::min(largest, host.most_pairs);
    const Nanoseconds fixed = fixed_cost(plan.largest, host, amounts);
    const auto count = static_cast<long>(runs(plan.largest, amounts));
    plan.slice = std::clamp((budget - fixed) / count, kShortest, kLongest);
    plan.estimate = fixed + plan.slice * count;
    if ((budget - fixed) / count >= kComfortable || largest / 4 < kLeast) return plan;
  }
}

}  // namespace muxbench
