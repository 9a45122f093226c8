#include "run/round_times.h"

#include <gtest/gtest.h>

#include "fixtures.h"
#include "plan/trial_cost.h"

namespace muxbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Three models at two points, each a round of three parts.
struct Rounds {
  Rounds() {
    record.models = {fixtures::model("a"), fixtures::model("b"), fixtures::model("c")};
    record.experiments = {fixtures::experiment("load", {{"connections", {1, 64}}})};
    record.experiments.front().method = Method::slices;
    record.cells =
        make_cells(record.models, record.experiments, {.descriptors = 100'000, .has_cgroup = true});
    order = order_trials(record.cells, record.experiments, 1, Counting::all_points);
    second = end_of_round(order, record.cells, 0);
    third = end_of_round(order, record.cells, second);
  }
  Nanoseconds planned_opening(std::size_t from, std::size_t to) const {
    Nanoseconds sum{};
    for (std::size_t i = from; i < to; ++i) {
      const Cell& cell = record.cells[order[i].cell];
      sum += trial_overhead(record.models[cell.model], cell.settings);
    }
    return sum;
  }

  RunRecord record = fixtures::record({}, {});
  std::vector<PlannedTrial> order;
  std::size_t second = 0;  // where the second round begins
  std::size_t third = 0;
};

TEST(RoundTimes, ArePlannedBeforeAnyRound) {
  const Rounds rounds;
  ASSERT_EQ(rounds.second, 3U);
  const RoundTime time = RoundTimes().expected(rounds.record, rounds.order, 0, rounds.second);
  EXPECT_EQ(time.opening, rounds.planned_opening(0, rounds.second));
  EXPECT_GT(time.block, milliseconds(3 * 6));
  EXPECT_GT(time.counting, Nanoseconds(0));
}

TEST(RoundTimes, ScaleTheOtherPointsByWhatARoundTook) {
  const Rounds rounds;
  RoundTimes times;
  const RoundTime plan = times.expected(rounds.record, rounds.order, 0, rounds.second);
  times.learn(
      rounds.record, rounds.order, 0, rounds.second,
      {.opening = 3 * plan.opening, .block = 2 * plan.block, .counting = plan.counting / 2});
  const RoundTime next = times.expected(rounds.record, rounds.order, rounds.second, rounds.third);
  EXPECT_EQ(next.opening, 3 * rounds.planned_opening(rounds.second, rounds.third));
  EXPECT_EQ(next.block, 2 * plan.block);
  EXPECT_EQ(next.counting, plan.counting / 2);
}

TEST(RoundTimes, OfAPointAreWhatItsLastRoundTook) {
  const Rounds rounds;
  RoundTimes times;
  times.learn(rounds.record, rounds.order, 0, rounds.second,
              {.opening = seconds(3), .block = milliseconds(30), .counting = {}});
  const RoundTime whole = times.expected(rounds.record, rounds.order, 0, rounds.second);
  EXPECT_EQ(whole.opening, seconds(3));
  EXPECT_EQ(whole.block, milliseconds(30));
  const RoundTime of_one_model = times.expected(rounds.record, rounds.order, 0, 1);
  EXPECT_EQ(of_one_model.opening, seconds(1));
  EXPECT_EQ(of_one_model.block, milliseconds(10));
}

TEST(TimeForBlocks, IsTheSharesOfWhatOpeningLeaves) {
  const RoundsLeft all{.fixed = seconds(37), .blocks = seconds(20)};
  EXPECT_EQ(time_for_blocks(seconds(100), all, seconds(5)), seconds(15));
  EXPECT_EQ(time_for_blocks(seconds(100), all, seconds(20)), seconds(60)) << "the last round";
  EXPECT_EQ(time_for_blocks(seconds(30), all, seconds(5)), Nanoseconds(0)) << "too late";
}

}  // namespace
}  // namespace muxbench
