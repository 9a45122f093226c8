#include "plan/slices.h"

#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using std::chrono::milliseconds;

Experiment of(Nanoseconds duration) {
  Experiment experiment = fixtures::experiment("e", {{"connections", {8}}});
  experiment.method.reset();
  experiment.duration = duration;
  return experiment;
}

TEST(PlanSlices, FillTheExperimentsDurationWithFiveMilliseconds) {
  const SlicePlan plan = plan_slices(of(milliseconds(300)), {});
  EXPECT_EQ(plan.length, milliseconds(5));
  EXPECT_EQ(plan.warmup, milliseconds(1));
  EXPECT_EQ(plan.blocks, 60U);
}

TEST(PlanSlices, AreLongerWhereAHundredRequestsTakeLonger) {
  const auto length = [](const LoadSettings& settings) {
    return plan_slices(of(milliseconds(1000)), settings).length;
  };
  EXPECT_EQ(length({.churn = 1}), milliseconds(10));
  EXPECT_EQ(length({.work_spin_us = 50}), milliseconds(5)) << "20,000 in a second";
  EXPECT_EQ(length({.work_spin_us = 51}), milliseconds(10));
  EXPECT_EQ(length({.work_spin_us = 500}), milliseconds(50));
  EXPECT_EQ(length({.work_sleep_us = 500}), milliseconds(50));
  EXPECT_EQ(length({.rate = 5000}), milliseconds(20));
  EXPECT_EQ(length({.rate = 50}), milliseconds(100)) << "the longest";
}

TEST(PlanSlices, AreNeverFewerThanFourNorLongerThanTheExperiment) {
  const SlicePlan shortest = plan_slices(of(milliseconds(1)), {});
  EXPECT_EQ(shortest.length, milliseconds(5));
  EXPECT_EQ(shortest.blocks, 4U);
  const SlicePlan rare = plan_slices(of(milliseconds(60)), {.rate = 50});
  EXPECT_EQ(rare.length, milliseconds(60));
  EXPECT_EQ(rare.blocks, 4U);
}

TEST(Calibrated, LeavesAPlanAloneForALittle) {
  const SlicePlan plan = plan_slices(of(milliseconds(300)), {});
  EXPECT_EQ(calibrated(plan, 1e6).length, plan.length);
  EXPECT_EQ(calibrated(plan, 12'000).length, plan.length) << "60 requests in each";
  EXPECT_EQ(calibrated(plan, 12'000).blocks, plan.blocks);
}

TEST(Calibrated, TakesFewerAndLongerSlicesOfTheSameTime) {
  const SlicePlan plan = calibrated(plan_slices(of(milliseconds(300)), {}), 11'000);
  EXPECT_EQ(plan.length, milliseconds(10));
  EXPECT_EQ(plan.blocks, 30U);
  const SlicePlan slowest = calibrated(plan, 1);
  EXPECT_EQ(slowest.length, milliseconds(100));
  EXPECT_EQ(slowest.blocks, 4U);
}

TEST(SliceCost, IsMoreThanItsWindow) {
  const SlicePlan plan = plan_slices(of(milliseconds(300)), {});
  EXPECT_GT(slice_cost(plan), plan.warmup + plan.length);
}

TEST(UsualMethod, IsTrialsWhereWindowsMustBeLong) {
  const Experiment plain = of(milliseconds(300));
  EXPECT_EQ(usual_method(plain), Method::slices);
  const auto method = [&](const LoadSettings& load) {
    Experiment experiment = plain;
    experiment.load = load;
    return usual_method(experiment);
  };
  EXPECT_EQ(method({.rate = 1000}), Method::slices);
  EXPECT_EQ(method({.churn = 1}), Method::slices);
  EXPECT_EQ(method({.work_spin_us = 10}), Method::slices);
  EXPECT_EQ(method({.stall_trickle = 1}), Method::trials);
  EXPECT_EQ(method({.workers = 2}), Method::trials);
  EXPECT_EQ(method({.work_sleep_us = 1}), Method::trials);
  EXPECT_EQ(method({.slow_worker_us = 1}), Method::trials);
  EXPECT_EQ(method({.work_child = 1}), Method::trials);
  for (const char* key : {"stall_mid_message", "stall_never_read", "workers", "work_child",
                          "work_sleep_us", "slow_worker_us"}) {
    EXPECT_EQ(usual_method(fixtures::experiment("e", {{key, {1}}})), Method::trials) << key;
  }
  EXPECT_EQ(usual_method(fixtures::experiment("e", {{"idle", {1}}})), Method::slices);
}

TEST(CanBeSliced, WithoutACgroupASingleProcessCan) {
  const Experiment experiment = of(milliseconds(300));
  const Model readiness = fixtures::model("a");
  EXPECT_TRUE(can_be_sliced(readiness, experiment, false));
  Model process = readiness;
  process.family = "process";
  Model program = readiness;
  program.capabilities.program_per_connection = true;
  Model external = readiness;
  external.external = true;
  for (const Model& model : {process, program, external}) {
    EXPECT_TRUE(can_be_sliced(model, experiment, true));
    EXPECT_FALSE(can_be_sliced(model, experiment, false));
  }
  Experiment children = experiment;
  children.load.work_child = 1;
  EXPECT_FALSE(can_be_sliced(readiness, children, false));
}

TEST(MethodOfACell, IsTheExperimentsWhereTheModelCan) {
  std::vector<Model> models{fixtures::model("a"), fixtures::model("b")};
  models[1].family = "process";
  Experiment experiment = of(milliseconds(300));
  const auto methods = [&](bool has_cgroup) {
    std::vector<Method> found;
    for (const Cell& cell :
         make_cells(models, {experiment}, {.descriptors = 1000, .has_cgroup = has_cgroup})) {
      found.push_back(cell.method);
    }
    return found;
  };
  EXPECT_EQ(methods(true), (std::vector{Method::slices, Method::slices}));
  EXPECT_EQ(methods(false), (std::vector{Method::slices, Method::trials}));
  experiment.method = Method::trials;
  EXPECT_EQ(methods(true), (std::vector{Method::trials, Method::trials}));
}

}  // namespace
}  // namespace muxbench
