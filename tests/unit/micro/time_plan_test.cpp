#include "time_plan.h"

#include <gmock/gmock.h>

namespace muxbench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr Amounts kAmounts{.waiting = 48, .others = 40, .repetitions = 5};

HostCosts host(std::size_t most_pairs) {
  return {.most_pairs = most_pairs, .open_pair = microseconds(8), .use_pair = microseconds(2)};
}

TEST(SizesUpTo, GrowFourfoldAndEndAtTheLargest) {
  EXPECT_THAT(sizes_up_to(8), ElementsAre(8));
  EXPECT_THAT(sizes_up_to(1000), ElementsAre(8, 32, 128, 512, 1000));
  EXPECT_THAT(sizes_up_to(2048), ElementsAre(8, 32, 128, 512, 2048));
}

TEST(SizesUpTo, LeaveOutALargestThatIsHardlyLarger) {
  EXPECT_THAT(sizes_up_to(600), ElementsAre(8, 32, 128, 512));
  EXPECT_THAT(sizes_up_to(768), ElementsAre(8, 32, 128, 512, 768));
}

TEST(SizesUpTo, HoldWhatThereIsBelowEight) { EXPECT_THAT(sizes_up_to(5), ElementsAre(5)); }

TEST(MakePlan, KeepsABudgetWithRoomForSurprises) {
  for (const int budget : {5, 20, 35, 60, 240, 3600}) {
    const Plan plan = make_plan(seconds(budget), host(1'000'000), kAmounts);
    EXPECT_LE(plan.estimate, milliseconds(budget * 1000 * 2 / 3 + 1)) << budget;
    EXPECT_GE(plan.slice, milliseconds(2)) << budget;
    EXPECT_LE(plan.slice, milliseconds(50)) << budget;
  }
}

TEST(MakePlan, WatchesMoreInMoreTime) {
  std::size_t before = 0;
  for (const int budget : {5, 20, 60, 240}) {
    const Plan plan = make_plan(seconds(budget), host(1'000'000), kAmounts);
    EXPECT_GE(plan.largest, before) << budget;
    before = plan.largest;
  }
  EXPECT_EQ(before, 32'768U);
}

TEST(MakePlan, WatchesNoMoreThanTheDescriptorLimitAllows) {
  EXPECT_EQ(make_plan(seconds(600), host(9438), kAmounts).largest, 9438U);
  EXPECT_EQ(make_plan(seconds(600), host(20), kAmounts).largest, 20U);
}

TEST(MakePlan, ShrinksSlicesWhereThereIsNoTimeForLess) {
  const Plan plan = make_plan(milliseconds(300), host(1'000'000), kAmounts);
  EXPECT_EQ(plan.largest, 128U);
  EXPECT_EQ(plan.slice, microseconds(200));
}

}  // namespace
}  // namespace muxbench
