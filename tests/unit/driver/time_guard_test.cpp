#include "run/time_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

const std::vector<double> kSteady{100e3, 100.1e3, 99.9e3, 100e3, 100.1e3};
const std::vector<double> kNoisy{100e3, 150e3, 70e3, 120e3, 90e3};
constexpr Clock::time_point kBegin{};

TimeGuard quick() { return {kBegin, *find_profile("quick"), seconds(195)}; }  // it may take 210 s

TEST(TimeGuard, StartsNoTrialThatWouldOverrun) {
  EXPECT_TRUE(quick().may_start_trial(kBegin + seconds(208), seconds(1)));
  EXPECT_FALSE(quick().may_start_trial(kBegin + seconds(210), seconds(1)));
}

// A twentieth is to spare.
TEST(TimeGuard, TakesFromABlockTheFirstExperimentsThatFit) {
  const std::map<std::size_t, Nanoseconds> block{
      {0, seconds(20)}, {1, seconds(40)}, {2, seconds(10)}, {3, seconds(4)}};  // 77.7 s
  EXPECT_THAT(quick().fitting(kBegin + seconds(132), block), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(quick().fitting(kBegin + seconds(133), block), ElementsAre(0, 1, 2));
  EXPECT_THAT(quick().fitting(kBegin + seconds(170), block), ElementsAre(0, 2, 3));
  EXPECT_THAT(quick().fitting(kBegin + seconds(206), block), IsEmpty());
}

TEST(TimeGuard, HasNoLimitInFullOrAgainstTheCommandLine) {
  const auto late = kBegin + std::chrono::hours(9);
  const TimeGuard full(kBegin, *find_profile("full"), seconds(9));
  EXPECT_THAT(full.fitting(late, {{0, seconds(99)}}), ElementsAre(0));
  const TimeGuard asked(kBegin, *find_profile("quick"), seconds(999));
  EXPECT_TRUE(asked.may_start_trial(late, seconds(9)));
}

TEST(TimeGuard, KeepsTheLimitOfBudgetAgainstTheCommandLine) {
  Profile profile = *find_profile("quick");
  profile.limit = seconds(40);
  profile.limit_is_asked_for = true;
  EXPECT_FALSE(
      TimeGuard(kBegin, profile, seconds(50)).may_start_trial(kBegin + seconds(40), seconds(1)));
}

// Two experiments of one cell each; the first is measured under a second name, too.
class ExpectedBlock : public testing::Test {
 protected:
  ExpectedBlock() {
    record_.models = {fixtures::model("a"), fixtures::model("b")};
    record_.cells = {{.model = 0, .experiment = 0}, {.model = 1, .experiment = 1}};
    add(record_.trials, 0, 0, 3);
    add(record_.trials, 1, 0, 4);
    add(record_.twin_trials, 0, 0, 5);
    add(record_.counting_trials, 1, 0, 100);
  }
  static void add(std::vector<TrialResult>& trials, std::size_t cell, unsigned repetition,
                  int took) {
    trials.push_back({.cell = cell, .repetition = repetition, .took = seconds(took)});
  }
  std::map<std::size_t, Nanoseconds> block(std::size_t from) const {
    return expected_block(record_, order_, from, [](std::size_t trial) {
      return seconds(1000 * (static_cast<int>(trial) + 1));
    });
  }

  const std::vector<PlannedTrial> order_{{.cell = 1, .repetition = 0, .counting = true},
                                         {.cell = 0, .repetition = 1, .twin = true},
                                         {.cell = 0, .repetition = 1},
                                         {.cell = 1, .repetition = 1},
                                         {.cell = 1, .repetition = 2},
                                         {.cell = 0, .repetition = 2}};
  RunRecord record_;
};

TEST_F(ExpectedBlock, TakesWhatItsTrialsTookTheLastTime) {
  EXPECT_THAT(block(1), ElementsAre(Pair(0, seconds(8)), Pair(1, seconds(4))));
  add(record_.trials, 0, 1, 30);  // cell 1 was not measured the second time
  EXPECT_THAT(block(4), ElementsAre(Pair(0, seconds(30)), Pair(1, seconds(4))));
}

TEST_F(ExpectedBlock, TakesWhatIsPlannedOfOtherKindsAndOfTheFirst) {
  EXPECT_THAT(block(0), ElementsAre(Pair(1, seconds(1000))));
  record_.trials.pop_back();
  EXPECT_THAT(block(1), ElementsAre(Pair(0, seconds(8)), Pair(1, seconds(4000))));
}

TEST_F(ExpectedBlock, HasNothingOfModelsThatAreNotTriedAnyMore) {
  record_.given_up[1] = "it failed again and again";
  EXPECT_THAT(block(1), ElementsAre(Pair(0, seconds(8))));
  EXPECT_THAT(block(0), IsEmpty());
}

TEST(ShortenedBlock, SaysOfWhichExperimentsItIs) {
  RunRecord record;
  for (const char* name : {"connections", "idle", "churn"}) {
    record.experiments.push_back(fixtures::experiment(name, {}));
  }
  const PlannedTrial next{.repetition = 2};
  const PlannedTrial counting{.repetition = 0, .counting = true};
  EXPECT_EQ(shortened_block(record, next, {0, 2}),
            "repetition 3 is of these experiments alone: connections, churn");
  EXPECT_EQ(shortened_block(record, next, {}), "it ends after repetition 2");
  EXPECT_EQ(
      shortened_block(record, counting, {1}),
      "it ends after repetition 1 and counts the system calls of these experiments alone: idle");
  EXPECT_EQ(shortened_block(record, counting, {}),
            "it ends after repetition 1 and counts no system calls");
}

TEST(EndedWithin, SaysWhatIsMissing) {
  EXPECT_EQ(ended_within({.repetition = 2}, ""),
            "it ends within repetition 3, so that some cells have one trial fewer");
  EXPECT_EQ(ended_within({.repetition = 0, .counting = true}, "it ends"),
            ", and it ends within the counting pass, so that some cells lack their system calls");
}

TEST(EarlyEndNote, SaysHowManyCellsMissTheTarget) {
  EXPECT_EQ(early_end_note(fixtures::record(kSteady, kNoisy), 0.02, "it ends"),
            "The time of profile quick is over: it ends. 1 of 2 cells are known less well than "
            "--target-ci 2 % asks for.");
  EXPECT_THAT(early_end_note(fixtures::record(kNoisy, kNoisy), 0.005, "it ends"),
              HasSubstr("2 of 2 cells"));
  EXPECT_THAT(early_end_note(fixtures::record(kSteady, kNoisy), 0.005, "it ends"),
              HasSubstr("--target-ci 0.5 %"));
}

// Four trials that agree are too few to be known well.
TEST(EarlyEndNote, CountsCellsOfFewTrialsAsMissed) {
  const std::vector<double> four(kSteady.begin(), kSteady.end() - 1);
  EXPECT_THAT(early_end_note(fixtures::record(kSteady, four), 0.02, "it ends"),
              HasSubstr("1 of 2 cells"));
}

TEST(EarlyEndNote, LeavesOutCellsThatAreNotTriedAnyMore) {
  RunRecord record = fixtures::record(kNoisy, kNoisy);
  record.given_up[1] = "it failed again and again";
  EXPECT_THAT(early_end_note(record, 0.02, "it ends"), HasSubstr("1 of 1 cells"));
}

TEST(EarlyEndNote, SaysWhatWasCutIfNoCellMissesATarget) {
  EXPECT_EQ(early_end_note(fixtures::record(kNoisy, kNoisy), {}, "it ends after repetition 2"),
            "The run took longer than planned. To keep the time of profile quick, it ends after "
            "repetition 2.");
  EXPECT_THAT(early_end_note(fixtures::record(kSteady, kSteady), 0.02, "it ends"),
              Not(HasSubstr("--target-ci")));
}

}  // namespace
}  // namespace muxbench
