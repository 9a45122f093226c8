#include "analysis/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/comparison.h"
#include "fixtures.h"

namespace muxbench {
namespace {

Evidence evidence(double ratio, double half, double p) {
  return {.trials = 5, .ratio = {ratio, ratio / half, ratio * half, p}, .p = p, .apart = true};
}

TEST(Decide, FollowsTheDirectionInWhichTheMetricIsBetter) {
  for (const VerdictRule& rule : {kCompareRule, kFindingRule}) {
    EXPECT_EQ(decide(evidence(1.2, 1.01, 0.001), true, rule).verdict, Verdict::faster);
    EXPECT_EQ(decide(evidence(1.2, 1.01, 0.001), false, rule).verdict, Verdict::slower);
    EXPECT_EQ(decide(evidence(0.8, 1.01, 0.001), false, rule).verdict, Verdict::faster);
    EXPECT_EQ(decide(evidence(1.2, 1.3, 0.2), true, rule).verdict, Verdict::inconclusive);
  }
}

TEST(Decide, AsksForTrialsEnough) {
  Evidence few = evidence(1.2, 1.01, 0.001);
  few.trials = 3;
  EXPECT_EQ(decide(few, true, kCompareRule).verdict, Verdict::insufficient);
  EXPECT_EQ(decide(few, true, kFindingRule).verdict, Verdict::faster);
  few.trials = 2;
  EXPECT_EQ(decide(few, true, kFindingRule).verdict, Verdict::insufficient);
}

TEST(Decide, CallsTheSameWhatLiesInsideTheMarginAlthoughItDiffers) {
  VerdictRule rule = kCompareRule;
  rule.margin = 0.02;
  const Decision same = decide(evidence(1.01, 1.005, 0.001), true, rule);
  EXPECT_EQ(same.verdict, Verdict::same);
  EXPECT_TRUE(same.differs);
  EXPECT_EQ(decide(evidence(1.018, 1.005, 0.001), true, rule).verdict, Verdict::faster);
}

TEST(Decide, FindingsNeedTrialsApartAndMoreThanTheNoiseFloor) {
  Evidence overlapping = evidence(1.2, 1.01, 0.001);
  overlapping.apart = false;
  EXPECT_EQ(decide(overlapping, true, kFindingRule).verdict, Verdict::inconclusive);
  EXPECT_EQ(decide(overlapping, true, kCompareRule).verdict, Verdict::faster);
  VerdictRule floor = kFindingRule;
  floor.noise_floor = 1.25;
  EXPECT_EQ(decide(evidence(1.2, 1.01, 0.001), true, floor).verdict, Verdict::inconclusive);
  EXPECT_EQ(decide(evidence(1 / 1.2, 1.01, 0.001), true, floor).verdict, Verdict::inconclusive);
  EXPECT_EQ(decide(evidence(1.3, 1.01, 0.001), true, floor).verdict, Verdict::faster);
}

const report::VerdictTable& table_of(const std::vector<report::VerdictTable>& tables,
                                     const std::string& metric) {
  for (const report::VerdictTable& table : tables) {
    if (table.metric == metric) return table;
  }
  throw std::runtime_error("no table of " + metric);
}

TEST(VerdictTables, SayWhatCompareSaysOfTwoModels) {
  const auto record = fixtures::record({100e3, 101e3, 99e3, 100e3}, {90e3, 91e3, 89e3, 90e3});
  const report::Report report = make_report(record);
  const auto tables = conclude(report).verdicts;
  const auto& rate = table_of(tables, "requests_per_second");
  EXPECT_THAT(rate.models, testing::ElementsAre("a", "b"));
  EXPECT_THAT(rate.matrix, testing::ElementsAre(".s", "f."));
  const auto measured = measured_report(report);
  for (const report::VerdictTable& table : tables) {
    const auto compared = compare_models(*measured, "a", "b", {.metrics = {table.metric}});
    EXPECT_EQ(table.matrix[0][1], letter_of(compared->cells[0].verdict)) << table.metric;
  }
  const auto few = conclude(make_report(fixtures::record({1e5, 1e5, 1e5}, {9e4, 9e4, 9e4})));
  EXPECT_THAT(table_of(few.verdicts, "requests_per_second").matrix,
              testing::ElementsAre(".-", "-."));
}

}  // namespace
}  // namespace muxbench
