#include "plan/trial_cost.h"

#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using std::chrono::milliseconds;

TEST(WarmupOf, LeavesTimeToAcceptWhereTheQueueCannotBeSeen) {
  auto experiment = fixtures::experiment("e", {{"connections", {1}}});  // 300 ms
  auto model = fixtures::model("m");
  model.family = "process";
  const LoadSettings many{.connections = 100, .idle = 8000};
  EXPECT_EQ(warmup_of(model, experiment, many), milliseconds(300));
  experiment.transport = "unix";
  EXPECT_EQ(warmup_of(model, experiment, many), milliseconds(3240));
  EXPECT_EQ(warmup_of(model, experiment, {.connections = 500}), milliseconds(300));
}

TEST(WarmupOf, LeavesTimeToStartPrograms) {
  const auto experiment = fixtures::experiment("e", {{"connections", {1}}});  // 300 ms
  auto model = fixtures::model("m");
  model.capabilities.program_per_connection = true;
  EXPECT_EQ(warmup_of(model, experiment, {.connections = 10}), milliseconds(300));
  EXPECT_EQ(warmup_of(model, experiment, {.connections = 100}), milliseconds(400));
  EXPECT_EQ(warmup_of(model, experiment, {.connections = 1000}), milliseconds(500));
}

TEST(TrialOverhead, HasWhatFillsTheBuffersOfThoseWhoNeverRead) {
  const Model model = fixtures::model("m");
  const Nanoseconds others = trial_overhead(model, {.connections = 64});
  EXPECT_EQ(trial_overhead(model, {.connections = 0, .stall_never_read = 64}),
            others + milliseconds(4480));
}

TEST(TrialOverhead, GrowsWithWhatAConnectionIs) {
  const LoadSettings many{.connections = 1000};
  Model model = fixtures::model("m");
  EXPECT_EQ(trial_overhead(model, many), milliseconds(80 + 2 * 30)) << "it is only accepted";
  model.family = "thread";
  EXPECT_EQ(trial_overhead(model, many), milliseconds(80 + 2 * 100));
  model.family = "process";
  EXPECT_EQ(trial_overhead(model, many), milliseconds(80 + 2 * 400));
  model.capabilities.one_client_per_worker = true;
  EXPECT_EQ(trial_overhead(model, many), milliseconds(80 + 2 * 100)) << "its process is there";
  model.capabilities = {.program_per_connection = true};
  EXPECT_EQ(trial_overhead(model, many), milliseconds(80 + 2 * 2500));
}

TEST(TrialOverhead, HasTheLastAnswersOfAnEventLoopThatBlocks) {
  const Model model = fixtures::model("m");
  EXPECT_EQ(trial_overhead(model, {.connections = 32, .work_sleep_us = 5000}),
            trial_overhead(model, {.connections = 32}) + milliseconds(160));
}

TEST(ShortestWindow, HoldsAHundredRequestsOfAHandlerThatBlocks) {
  auto experiment = fixtures::experiment("e", {{"connections", {1}}});
  EXPECT_EQ(shortest_window(experiment), milliseconds(0));
  experiment.load.work_sleep_us = 1000;
  EXPECT_EQ(shortest_window(experiment), milliseconds(100));
  experiment.sweep = {{"work_sleep_us", {200, 5000, 1000}}};
  EXPECT_EQ(shortest_window(experiment), milliseconds(500));
}

TEST(ShortestWindow, HasAP99WhereAWorkerIsSlowed) {
  auto experiment = fixtures::experiment("e", {{"slow_worker_us", {200, 1500}}});
  EXPECT_EQ(shortest_window(experiment), milliseconds(0)) << "a closed loop";
  experiment.load.rate = 2000;
  EXPECT_EQ(shortest_window(experiment), milliseconds(500));
}

}  // namespace
}  // namespace muxbench
