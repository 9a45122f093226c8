#include "result/series.h"

#include <gtest/gtest.h>

namespace muxbench::loadgen {
namespace {

using std::chrono::milliseconds;

TEST(Series, EachIntervalGetsWhatWasAddedInIt) {
  Series series;
  EXPECT_EQ(series.next({}), Clock::time_point::max()) << "the window has not begun";
  series.start({.errors = 3});
  EXPECT_EQ(series.next({}), Clock::time_point(milliseconds(100)));
  series.take(milliseconds(100), {.requests = 10, .errors = 3, .latency_sum_ns = 50},
              milliseconds(1));
  series.take(milliseconds(200), {.requests = 14, .errors = 4, .latency_sum_ns = 90},
              milliseconds(2));
  ASSERT_EQ(series.samples().size(), 2U);
  EXPECT_EQ(series.samples()[0].requests, 10U);
  EXPECT_EQ(series.samples()[0].errors, 0U) << "those of the warm-up are not its own";
  EXPECT_EQ(series.samples()[1].requests, 4U);
  EXPECT_EQ(series.samples()[1].errors, 1U);
  EXPECT_EQ(series.samples()[1].latency_sum_ns, 40U);
  EXPECT_EQ(series.samples()[1].slowest, milliseconds(2));
}

TEST(Series, NothingIsTakenBeforeTheStart) {
  Series series;
  series.take(milliseconds(500), {.requests = 10}, milliseconds(1));
  EXPECT_TRUE(series.samples().empty());
}

TEST(Series, AThreadThatSleptLeavesEmptyIntervalsAndTheLastMayBeShort) {
  Series series;
  series.start({});
  series.take(milliseconds(100), {.requests = 1}, {});
  series.take(milliseconds(400), {.requests = 6}, {});
  series.take(milliseconds(430), {.requests = 7}, {});
  ASSERT_EQ(series.samples().size(), 5U);
  EXPECT_EQ(series.samples()[1].requests, 0U);
  EXPECT_EQ(series.samples()[3].requests, 5U);
  EXPECT_EQ(series.samples()[4].requests, 1U);
}

TEST(Series, ThreadsAddUp) {
  Series one;
  Series other;
  one.start({});
  other.start({});
  one.take(milliseconds(100), {.requests = 1}, milliseconds(5));
  other.take(milliseconds(100), {.requests = 2}, milliseconds(3));
  other.take(milliseconds(200), {.requests = 5}, milliseconds(3));
  one.merge(other);
  ASSERT_EQ(one.samples().size(), 2U);
  EXPECT_EQ(one.samples()[0].requests, 3U);
  EXPECT_EQ(one.samples()[0].slowest, milliseconds(5));
  EXPECT_EQ(one.samples()[1].requests, 3U);
}

}  // namespace
}  // namespace muxbench::loadgen
