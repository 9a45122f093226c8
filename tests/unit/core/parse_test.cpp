#include "base/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(*parse_duration("40ns"), Nanoseconds(40));
  EXPECT_EQ(*parse_duration("20us"), microseconds(20));
  EXPECT_EQ(*parse_duration("300ms"), milliseconds(300));
  EXPECT_EQ(*parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(*parse_duration("2m"), seconds(120));
  EXPECT_EQ(*parse_duration("0"), Nanoseconds(0));
}

TEST(ParseDuration, RefusesWhatIsNotADuration) {
  for (const char* text :
       {"", "s", "1", "-1s", "1 s", "1sec", "nan", "inf", "nans", "1e30s", "1s2"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_THAT(duration.error().message, HasSubstr("not a duration")) << text;
    EXPECT_EQ(duration.error().exit, Exit::usage) << text;
  }
}

TEST(ParseCount, ReadsDecimalAndBinaryMultiples) {
  EXPECT_EQ(*parse_count("64"), 64U);
  EXPECT_EQ(*parse_count("20k"), 20'000U);
  EXPECT_EQ(*parse_count("16KiB"), 16'384U);
  EXPECT_EQ(*parse_count("1.5k"), 1'500U);
  EXPECT_EQ(*parse_count("1MiB"), 1'048'576U);
  EXPECT_EQ(*parse_count("3GiB"), 3'221'225'472U);
}

TEST(ParseCount, RefusesFractionsAndSigns) {
  for (const char* text : {"", "-1", "1.5", "64 ", "1kb", "0x10", "1e30"}) {
    EXPECT_FALSE(parse_count(text).ok()) << text;
  }
}

TEST(ToString, PicksTheLargestUnitThatFits) {
  EXPECT_EQ(to_string(Nanoseconds(999)), "999 ns");
  EXPECT_EQ(to_string(microseconds(20)), "20 us");
  EXPECT_EQ(to_string(microseconds(2500)), "2.5 ms");
  EXPECT_EQ(to_string(milliseconds(1000)), "1 s");
  EXPECT_EQ(to_string(milliseconds(1500)), "1.5 s");
}

TEST(ParseCpuList, SortsAndMerges) {
  EXPECT_THAT(*parse_cpu_list("3,0-1,1"), ElementsAre(0, 1, 3));
  for (const char* text : {"", "a", "1-", "2-1", "-1", "0,", "0;1", "99999"}) {
    EXPECT_FALSE(parse_cpu_list(text).ok()) << text;
  }
}

TEST(Describe, NamesTheErrorNumber) {
  EXPECT_EQ(describe(Errno{ECONNREFUSED}), "Connection refused (ECONNREFUSED)");
  EXPECT_EQ(describe(Errno{99999}), "error 99999");
}

TEST(Parse, ACountMayBeZero) {
  const auto zero = parse_count("0");
  ASSERT_TRUE(zero.ok());
  EXPECT_EQ(*zero, 0U);
}

}  // namespace
}  // namespace muxbench
