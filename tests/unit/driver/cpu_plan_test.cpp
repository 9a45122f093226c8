#include "plan/cpu_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Cpu> kTwo{{0, 0}, {1, 1}};
const std::vector<Cpu> kHyperthreads{{0, 0}, {1, 1}, {2, 2}, {3, 3},
                                     {4, 0}, {5, 1}, {6, 2}, {7, 3}};

TEST(PlanCpus, SplitsByPhysicalCore) {
  const auto plan = plan_cpus(kHyperthreads, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(plan->server, ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(plan->load, ElementsAre(2, 3, 6, 7));
}

TEST(PlanCpus, SplitsTwo) {
  const auto plan = plan_cpus(kTwo, {});
  EXPECT_THAT(plan->server, ElementsAre(0));
  EXPECT_THAT(plan->load, ElementsAre(1));
}

TEST(PlanCpus, SplitsTheThreadsOfOneCore) {
  const auto plan = plan_cpus({{0, 0}, {1, 0}}, {});
  EXPECT_THAT(plan->server, ElementsAre(0));
  EXPECT_THAT(plan->load, ElementsAre(1));
}

TEST(PlanCpus, OneGivenLeavesTheRestToTheOther) {
  EXPECT_THAT(plan_cpus(kHyperthreads, {.server = {{7}}})->load, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(plan_cpus(kTwo, {.load = {{0}}})->server, ElementsAre(1));
}

TEST(PlanCpus, RefusesWithTheRemedy) {
  EXPECT_THAT(plan_cpus({{3, 3}}, {}).error().message, HasSubstr("--share-cpus"));
  EXPECT_THAT(plan_cpus(kTwo, {.server = {{0, 1}}}).error().message, HasSubstr("no free CPU"));
  EXPECT_THAT(plan_cpus(kTwo, {.server = {{0}}, .load = {{0, 1}}}).error().message,
              HasSubstr("overlap"));
  EXPECT_THAT(plan_cpus(kTwo, {.load = {{5}}}).error().message,
              HasSubstr("--load-cpus names CPU 5, which this process may not use; it may use 0,1"));
}

TEST(ShowCpus, CountsAndNamesThem) {
  EXPECT_EQ(format_cpus({0, 2}), "2 CPUs (0,2)");
  EXPECT_EQ(format_cpus({3}), "1 CPU (3)");
}

TEST(PlanCpus, SharesWhenAsked) {
  const auto plan = plan_cpus({{3, 3}}, {.share = true});
  EXPECT_THAT(plan->server, ElementsAre(3));
  EXPECT_THAT(plan->load, ElementsAre(3));
}

}  // namespace
}  // namespace muxbench
