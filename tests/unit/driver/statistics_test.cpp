#include "report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muxbench {
namespace {

TEST(Statistics, OfKnownNumbers) {
  const Statistics s = statistics_of({4, 2, 9, 5});
  EXPECT_EQ(s.n, 4U);
  EXPECT_DOUBLE_EQ(s.median, 4.5);
  EXPECT_DOUBLE_EQ(s.mean, 5);
  EXPECT_DOUBLE_EQ(s.stddev * s.stddev, (1.0 + 9 + 16 + 0) / 3);
  EXPECT_DOUBLE_EQ(s.min, 2);
  EXPECT_DOUBLE_EQ(s.max, 9);
}

TEST(Statistics, OfOneNumberHaveNoSpread) {
  const Statistics s = statistics_of({7});
  EXPECT_DOUBLE_EQ(s.median, 7);
  EXPECT_DOUBLE_EQ(s.stddev, 0);
  EXPECT_DOUBLE_EQ(s.cv(), 0);
}

TEST(Statistics, CvOfZeros) { EXPECT_DOUBLE_EQ(statistics_of({0, 0, 0}).cv(), 0); }

TEST(RangesOverlap, TouchingRangesDo) {
  EXPECT_TRUE(ranges_overlap(statistics_of({1, 2}), statistics_of({2, 3})));
  EXPECT_TRUE(ranges_overlap(statistics_of({1, 9}), statistics_of({2, 3})));
  EXPECT_FALSE(ranges_overlap(statistics_of({1, 2}), statistics_of({2.1, 3})));
}

TEST(RelativeHalfWidth, IsStudentsIntervalOfTheLogarithms) {
  EXPECT_NEAR(*relative_half_width({100, 104, 98, 101, 102}), std::expm1(0.0274983), 1e-6);
  EXPECT_EQ(*relative_half_width({7, 7, 7}), 0);
  EXPECT_FALSE(relative_half_width({7}).has_value());
  EXPECT_FALSE(relative_half_width({7, 0}).has_value());
}

}  // namespace
}  // namespace muxbench
