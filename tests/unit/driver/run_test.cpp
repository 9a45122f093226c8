#include "driver/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<double> kSteady{100e3, 100.1e3, 99.9e3, 100e3, 100.1e3};
const std::vector<double> kNoisy{100e3, 150e3, 70e3, 120e3, 90e3};

std::string note(const RunRecord& record, std::optional<double> target_ci,
                 bool at_block_start = true) {
  RunOptions options;
  options.target_ci = target_ci;
  return early_end_note(record, options, {.cell = 0, .repetition = 5}, at_block_start);
}

TEST(EarlyEndNote, SaysHowManyCellsMissTheTarget) {
  const RunRecord record = fixtures::record(kSteady, kNoisy);
  for (const bool at_block_start : {true, false}) {
    EXPECT_EQ(note(record, 0.02, at_block_start),
              "The time of profile quick is over, and 1 of 2 cells are known less well than "
              "--target-ci 2 % asks for.");
  }
  EXPECT_THAT(note(fixtures::record(kNoisy, kNoisy), 0.005), HasSubstr("2 of 2 cells"));
  EXPECT_THAT(note(record, 0.005), HasSubstr("--target-ci 0.5 %"));
}

// Four trials that agree are too few to be known well.
TEST(EarlyEndNote, CountsCellsOfFewTrialsAsMissed) {
  const std::vector<double> four(kSteady.begin(), kSteady.end() - 1);
  EXPECT_THAT(note(fixtures::record(kSteady, four), 0.02), HasSubstr("1 of 2 cells"));
}

TEST(EarlyEndNote, LeavesOutCellsThatAreNotTriedAnyMore) {
  RunRecord record = fixtures::record(kNoisy, kNoisy);
  record.given_up[1] = "it failed again and again";
  EXPECT_THAT(note(record, 0.02), HasSubstr("1 of 1 cells"));
}

TEST(EarlyEndNote, SaysWhereThePlanWasCutIfNoCellMissesATarget) {
  EXPECT_THAT(note(fixtures::record(kNoisy, kNoisy), {}), HasSubstr("ends after repetition 5"));
  EXPECT_THAT(note(fixtures::record(kNoisy, kNoisy), {}, false),
              HasSubstr("ends within repetition 6"));
  EXPECT_THAT(note(fixtures::record(kSteady, kSteady), 0.02), Not(HasSubstr("--target-ci")));
}

}  // namespace
}  // namespace muxbench
