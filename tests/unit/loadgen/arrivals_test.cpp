#include "engine/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace muxbench::loadgen {
namespace {

constexpr Instant kOrigin{std::chrono::hours(5)};

std::vector<Nanoseconds> first(ArrivalSchedule schedule, std::size_t count) {
  std::vector<Nanoseconds> times;
  schedule.start(kOrigin);
  while (times.size() < count) {
    times.push_back(schedule.next() - kOrigin);
    schedule.pop();
  }
  return times;
}

TEST(Arrivals, UniformOnesNeverDriftWhateverTheRate) {
  for (const std::uint64_t rate : {1U, 3U, 7'000U, 20'000U, 999'999U}) {
    const auto times = first({Arrival::uniform, rate, 0, 1}, 5'000);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const double exact = static_cast<double>(i) * 1e9 / static_cast<double>(rate);
      ASSERT_NEAR(static_cast<double>(times[i].count()), exact, 1.0) << i << " at " << rate;
    }
  }
}

TEST(Arrivals, ThreadsTakeTheTicksInTurn) {
  const auto alone = first({Arrival::uniform, 30'000, 0, 1}, 300);
  for (unsigned thread = 0; thread < 3; ++thread) {
    const auto its = first({Arrival::uniform, 30'000, thread, 3}, 100);
    for (std::size_t i = 0; i < its.size(); ++i) EXPECT_EQ(its[i], alone[3 * i + thread]);
  }
}

TEST(Arrivals, TicksOfHostsLieBetweenEachOther) {
  const auto alone = first({Arrival::uniform, 30'000, 0, 1}, 300);
  for (std::uint32_t host = 0; host < 3; ++host) {
    const auto its = first({Arrival::uniform, 10'000, 0, 1, {host, 3}}, 100);
    for (std::size_t i = 0; i < its.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(its[i].count()),
                  static_cast<double>(alone[3 * i + host].count()), 1.0);
    }
  }
}

TEST(Arrivals, PoissonOnesDifferBetweenHosts) {
  const auto one = first({Arrival::poisson, 1'000, 0, 1, {0, 2}}, 10);
  EXPECT_EQ(one, first({Arrival::poisson, 1'000, 0, 1}, 10));
  EXPECT_NE(one, first({Arrival::poisson, 1'000, 0, 1, {1, 2}}, 10));
}

// The gaps of a Poisson process are exponential: mean and standard deviation are alike.
TEST(Arrivals, PoissonGapsAreExponential) {
  constexpr std::size_t kCount = 200'000;
  const auto times = first({Arrival::poisson, 10'000, 1, 2}, kCount);
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 1; i < kCount; ++i) {
    const auto gap = static_cast<double>((times[i] - times[i - 1]).count());
    ASSERT_GE(gap, 0);
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / (kCount - 1);
  EXPECT_NEAR(mean, 200'000, 2'000) << "half of the rate for each of two threads";
  EXPECT_NEAR(std::sqrt(squares / (kCount - 1) - mean * mean), mean, 0.02 * mean);
}

TEST(Arrivals, ThreadsDrawDifferentGapsAndTheSameInEveryRun) {
  EXPECT_NE(first({Arrival::poisson, 100, 0, 2}, 10), first({Arrival::poisson, 100, 1, 2}, 10));
  EXPECT_EQ(first({Arrival::poisson, 100, 1, 2}, 10), first({Arrival::poisson, 100, 1, 2}, 10));
}

TEST(Arrivals, BeginAnewAtAnotherRate) {
  ArrivalSchedule uniform(Arrival::uniform, 100, 1, 2);
  uniform.start(kOrigin);
  for (int i = 0; i < 7; ++i) uniform.pop();
  uniform.start(kOrigin, 1'000);
  EXPECT_EQ(uniform.next(), kOrigin + std::chrono::milliseconds(1));
  uniform.pop();
  EXPECT_EQ(uniform.next(), kOrigin + std::chrono::milliseconds(3));

  ArrivalSchedule poisson(Arrival::poisson, 100, 0, 1);
  poisson.start(kOrigin);
  const Instant first = poisson.next();
  poisson.start(kOrigin, 100);
  EXPECT_NE(poisson.next(), first) << "each draws further";
}

}  // namespace
}  // namespace muxbench::loadgen
