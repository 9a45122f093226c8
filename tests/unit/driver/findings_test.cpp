#include "driver/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/show.h"
#include "driver/summary.h"
#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string findings_of(RunRecord record) {
  summarize(record);
  return findings(record);
}

TEST(Findings, NameTheBestWhereTrialsLieApart) {
  const auto text = findings_of(fixtures::record({100e3, 101e3, 102e3}, {90e3, 91e3, 92e3}));
  EXPECT_THAT(text, HasSubstr("At connections 8: highest throughput: **a** (101.0 k/s; next b with "
                              "91.0 k/s)"));
  EXPECT_THAT(text, HasSubstr("least server CPU per request: **a** (8.9 us; next b with 9.9 us)"));
  EXPECT_THAT(text, HasSubstr("lowest p99: a tie of a, b"));
}

TEST(Findings, CallOverlapsATie) {
  const auto text = findings_of(fixtures::record({100e3, 101e3, 110e3}, {99e3, 100e3, 100e3}));
  EXPECT_THAT(text, HasSubstr("highest throughput: a tie of a, b (about 101.0 k/s)"));
  EXPECT_THAT(text, Not(HasSubstr("highest throughput: **")));
}

TEST(Findings, NameNoBestOfTwoTrials) {
  const auto text = findings_of(fixtures::record({100e3, 101e3}, {90e3, 91e3}));
  EXPECT_THAT(text, HasSubstr("No best is named"));
  EXPECT_THAT(text, HasSubstr("100.5 k/s"));
}

TEST(Findings, NeverRankAFlaggedCell) {
  const auto text = findings_of(fixtures::record({100e3, 150e3, 200e3}, {90e3, 91e3, 92e3}));
  EXPECT_THAT(text, HasSubstr("No best is named"));
  EXPECT_THAT(text, HasSubstr("a flagged as noisy in load at connections 8: throughput varies by "
                              "33 %"));
}

TEST(Findings, TellWhatEndsOfTheSweepCost) {
  auto record = fixtures::record({}, {});
  record.experiments = {fixtures::experiment("idle", {{"idle", {0, 800}}})};
  record.cells = make_cells(record.models, record.experiments, {.descriptors = 1000});
  for (std::size_t cell = 0; cell < 4; ++cell) {
    for (unsigned r = 0; r < 3; ++r) {
      // Only model a, the first of each point, gets slower.
      const double rate = cell == 2 ? 10e3 : 100e3;
      record.trials.push_back(fixtures::trial(cell, r, rate + r));
      record.trials.back().load["achieved"]["idle"] = record.cells[cell].settings.idle;
    }
  }
  const auto text = findings_of(record);
  EXPECT_THAT(text, HasSubstr("a: server CPU per request goes from 9.0 us at idle 0 to 90.0 us at "
                              "idle 800 (10 times)"));
  EXPECT_THAT(text, Not(HasSubstr("b: server CPU per request goes")));
}

TEST(Findings, ListSkippedAndFailedWithTheirReason) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {});
  record.trials.push_back({.cell = 1, .error = "the server was killed by SIGSEGV"});
  auto text = findings_of(record);
  EXPECT_THAT(text, HasSubstr("b failed in load at connections 8: the server was killed by "
                              "SIGSEGV."));
  record.trials.pop_back();
  record.cells[1].skipped = "no such kernel";
  text = findings_of(record);
  EXPECT_THAT(text, HasSubstr("b skipped in load at connections 8: no such kernel."));
}

TEST(Show, PicksUnits) {
  EXPECT_EQ(show_rate(12), "12 /s");
  EXPECT_EQ(show_rate(191234), "191.2 k/s");
  EXPECT_EQ(show_time(999), "999 ns");
  EXPECT_EQ(show_time(12345), "12.3 us");
  EXPECT_EQ(show_time(2.5e6), "2.50 ms");
  EXPECT_EQ(show_bytes(4096), "4 KiB");
  EXPECT_EQ(show_bytes(3 << 20), "3.0 MiB");
}

}  // namespace
}  // namespace muxbench
