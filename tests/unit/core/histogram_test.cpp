#include "metrics/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace muxbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

// Samples as latencies are: many small ones and a long tail, from 100 ns to seconds.
std::vector<Nanoseconds> lognormal_samples(unsigned seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> distribution(std::log(50e3), 1.5);
  std::vector<Nanoseconds> samples(count);
  for (auto& sample : samples) sample = Nanoseconds(std::llround(distribution(random)));
  return samples;
}

Nanoseconds exact_quantile(std::vector<Nanoseconds> sorted, double q) {
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

TEST(Histogram, QuantilesAgreeWithSortedSamplesToThreeDigits) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    const auto samples = lognormal_samples(seed, 20'000);
    Histogram histogram;
    for (const auto sample : samples) histogram.record(sample);
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      const auto exact = static_cast<double>(exact_quantile(samples, q).count());
      const auto found = static_cast<double>(histogram.quantile(q).count());
      EXPECT_NEAR(found, exact, exact / 1024 + 1) << "seed " << seed << ", q " << q;
    }
  }
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (int i = 0; i < 2048; ++i) histogram.record(Nanoseconds(i));
  EXPECT_EQ(histogram.quantile(0.5), Nanoseconds(1023));
  EXPECT_EQ(histogram.quantile(1), Nanoseconds(2047));
}

TEST(Histogram, EveryValueLiesInItsBucketAndBucketsAreNarrow) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const Nanoseconds value(static_cast<Nanoseconds::rep>(random() >> (24 + i % 40)));
    const Nanoseconds floor = Histogram::bucket_floor(value);
    ASSERT_LE(floor, value);
    ASSERT_LE((value - floor).count(), value.count() / 1024) << value.count();
    ASSERT_EQ(Histogram::bucket_floor(floor), floor) << value.count();
  }
}

TEST(Histogram, MergingEqualsRecordingTogether) {
  Histogram first;
  Histogram second;
  Histogram together;
  for (const auto sample : lognormal_samples(4, 1'000))
    first.record(sample), together.record(sample);
  for (const auto sample : lognormal_samples(5, 3'000))
    second.record(sample), together.record(sample);
  first.merge(second);
  EXPECT_EQ(first.count(), 4'000U);
  EXPECT_EQ(first.mean(), together.mean());
  EXPECT_EQ(first.min(), together.min());
  EXPECT_EQ(first.max(), together.max());
  for (const double q : {0.1, 0.5, 0.99}) EXPECT_EQ(first.quantile(q), together.quantile(q)) << q;
}

TEST(Histogram, MergingAWrittenOneTakesTheLesserMinimumAndTheGreaterMaximum) {
  const Histogram::Written written{
      {{Nanoseconds(20), 1}, {Nanoseconds(40), 2}}, 100, Nanoseconds(20), Nanoseconds(40)};
  Histogram inside;
  inside.record(Nanoseconds(30));
  inside.merge(written);
  EXPECT_EQ(inside.min(), Nanoseconds(20));
  EXPECT_EQ(inside.max(), Nanoseconds(40));
  EXPECT_EQ(inside.count(), 4U);
  Histogram outside;
  outside.record(Nanoseconds(10));
  outside.record(Nanoseconds(50));
  outside.merge(written);
  EXPECT_EQ(outside.min(), Nanoseconds(10));
  EXPECT_EQ(outside.max(), Nanoseconds(50));
  EXPECT_EQ(outside.count(), 5U);
}

TEST(Histogram, EmptyAnswersZero) {
  Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.mean(), Nanoseconds(0));
  EXPECT_EQ(histogram.min(), Nanoseconds(0));
  EXPECT_EQ(histogram.max(), Nanoseconds(0));
  EXPECT_EQ(histogram.quantile(0.5), Nanoseconds(0));
}

TEST(Histogram, OutOfRangeValuesAreClamped) {
  Histogram histogram;
  histogram.record(Nanoseconds(-5));
  histogram.record(std::chrono::hours(24));
  EXPECT_EQ(histogram.min(), Nanoseconds(0));
  EXPECT_EQ(histogram.max(), Nanoseconds((1LL << 40) - 1));
}

TEST(Histogram, BucketsAreVisitedAscendingWithTheirCounts) {
  Histogram histogram;
  for (const int value : {5, 3000, 5, 3001}) histogram.record(Nanoseconds(value));
  std::vector<std::pair<Nanoseconds::rep, std::uint64_t>> seen;
  histogram.each_bucket(
      [&](Nanoseconds floor, std::uint64_t count) { seen.emplace_back(floor.count(), count); });
  EXPECT_THAT(seen, ElementsAre(Pair(5, 2U), Pair(3000, 2U)));
  histogram.reset();
  EXPECT_EQ(histogram.count(), 0U);
}

}  // namespace
}  // namespace muxbench
