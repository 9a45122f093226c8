#include "system/softirq.h"

#include <gtest/gtest.h>

namespace muxbench {
namespace {

TEST(SoftirqTime, IsInterruptsAndWhatFollowsThem) {
  const std::string stat = "cpu  100 2 300 4000 5 60 700 8 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
  EXPECT_EQ(softirq_time(stat, 100), std::chrono::milliseconds(7600));
  EXPECT_FALSE(softirq_time("intr 1 2 3\n", 100));
  EXPECT_FALSE(softirq_time("", 100));
}

}  // namespace
}  // namespace muxbench
