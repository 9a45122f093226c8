#include "client/message_sizes.h"

#include <gtest/gtest.h>

#include <map>

namespace muxbench::loadgen {
namespace {

TEST(MessageSizes, OneSizeIsTheSameForAll) {
  const auto sizes = MessageSizes::parse("16KiB");
  ASSERT_TRUE(sizes.ok());
  EXPECT_EQ(sizes->fixed(), 16384U);
  EXPECT_EQ(sizes->size(3, 7), 16384U);
  EXPECT_EQ(sizes->mean(), 16384U);
  EXPECT_EQ(sizes->to_string(), "16384");
}

TEST(MessageSizes, ARangeReachesBothEndsAndItsMean) {
  const auto sizes = MessageSizes::parse("10-14");
  ASSERT_TRUE(sizes.ok());
  std::map<std::uint32_t, int> seen;
  for (std::uint32_t i = 0; i < 50'000; ++i) ++seen[sizes->size(i % 64, i / 64)];
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen.begin()->first, 10U);
  for (const auto& [size, count] : seen) EXPECT_NEAR(count, 10'000, 500) << size;
  EXPECT_EQ(sizes->mean(), 12U);
  EXPECT_EQ(sizes->largest(), 14U);
  EXPECT_EQ(sizes->smallest(), 10U);
  EXPECT_EQ(sizes->to_string(), "10-14");
}

TEST(MessageSizes, WeightsAreShares) {
  const auto sizes = MessageSizes::parse("64*90,4KiB*9,1MiB");
  ASSERT_TRUE(sizes.ok());
  std::map<std::uint32_t, int> seen;
  for (std::uint32_t i = 0; i < 100'000; ++i) ++seen[sizes->size(5, i)];
  EXPECT_NEAR(seen[64], 90'000, 500);
  EXPECT_NEAR(seen[4096], 9'000, 500);
  EXPECT_NEAR(seen[1048576], 1'000, 200);
  EXPECT_EQ(sizes->to_string(), "64*90,4096*9,1048576*1");
  EXPECT_EQ(sizes->size(5, 77), sizes->size(5, 77)) << "a function of its arguments";
}

TEST(MessageSizes, NonsenseIsRefused) {
  for (const char* text : {"", "0", "1.5", "2MiB", "9-8", "64*", "64*0", "64,", "-5", "64-", "x"}) {
    EXPECT_FALSE(MessageSizes::parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace muxbench::loadgen
