#include "plan/time_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr CellLimits kPlenty{.descriptors = 100'000};

std::vector<Model> models(int count) {
  std::vector<Model> list;
  for (int i = 0; i < count; ++i) list.push_back(fixtures::model("m" + std::to_string(i)));
  return list;
}

std::vector<Experiment> experiments(int count) {
  std::vector<Experiment> list;
  for (int i = 0; i < count; ++i) {
    list.push_back(
        fixtures::experiment("e" + std::to_string(i), {{"connections", {1, 8, 64, 256, 1000}}}));
  }
  return list;
}

Fitted fitted(const char* profile, int model_count, int experiment_count,
              const FixedAmounts& fixed = {}) {
  const auto list = models(model_count);
  return fit(experiments(experiment_count), experiment_cost(list, kPlenty, Counting::last_points),
             *find_profile(profile), fixed);
}

TEST(Repetitions, AreFiveOrMoreInFull) {
  auto list = experiments(2);
  const Profile full = *find_profile("full");
  EXPECT_TRUE(check_repetitions(list, full, {}));
  EXPECT_TRUE(check_repetitions(list, *find_profile("quick"), {.duration = {}, .repetitions = 1}));
  EXPECT_THAT(check_repetitions(list, full, {.duration = {}, .repetitions = 4}).error().message,
              HasSubstr("--repetitions: 4 trials of each cell are too few"));
  list[1].repetitions = 3;
  EXPECT_THAT(check_repetitions(list, full, {}).error().message,
              HasSubstr("experiment e1: 3 trials"));
  EXPECT_TRUE(check_repetitions(list, full, {.duration = {}, .repetitions = 5}));
}

TEST(Fit, LeavesAloneWhatFits) {
  const auto list = models(2);
  auto asked = experiments(2);
  for (Experiment& experiment : asked) experiment.repetitions = 4;
  const Fitted result =
      fit(asked, experiment_cost(list, kPlenty, Counting::last_points), *find_profile("quick"), {});
  EXPECT_THAT(result.notes, IsEmpty());
  EXPECT_EQ(result.experiments[0].repetitions, 4U);
  EXPECT_EQ(result.experiments[0].duration, seconds(1));
  EXPECT_EQ(result.experiments[0].sweep[0].values.size(), 5U);
}

TEST(Fit, SixModelsKeepTheirPointsInQuick) {
  const Fitted result = fitted("quick", 6, 2);
  EXPECT_LE(result.estimate, seconds(210));
  ASSERT_EQ(result.experiments.size(), 2U);
  EXPECT_GE(result.experiments[0].repetitions, 3U);
  EXPECT_GE(result.experiments[0].duration, milliseconds(500));
  EXPECT_EQ(result.experiments[0].sweep[0].values.size(), 5U);
}

TEST(Fit, QuickHoldsForEveryNumberOfModelsAndExperiments) {
  const Profile quick = *find_profile("quick");
  for (const int model_count : {1, 2, 3, 5, 6, 7, 12, 20, 32, 40}) {
    for (const int experiment_count : {1, 2, 3, 6, 10, 12}) {
      const Fitted result = fitted("quick", model_count, experiment_count);
      EXPECT_LE(result.estimate, quick.target) << model_count << " x " << experiment_count;
      for (const Experiment& experiment : result.experiments) {
        EXPECT_GE(experiment.repetitions, 3U);
        EXPECT_GE(experiment.duration, quick.shortest);
        EXPECT_LE(experiment.repetitions, quick.most_repetitions);
        EXPECT_EQ(experiment.sweep[0].values.front(), 1U);
        EXPECT_EQ(experiment.sweep[0].values.back(), 1000U);
      }
    }
  }
}

TEST(Fit, ThirtyTwoModelsAndTenExperimentsTakeFiveMinutes) {
  const Fitted result = fitted("quick", 32, 10);
  EXPECT_LE(result.estimate, seconds(210));
  EXPECT_GE(result.experiments.size(), 2U);
  // The time there is gets used, and everything that was cut is told.
  EXPECT_GE(result.estimate, seconds(180));
  EXPECT_EQ(result.notes.size(), 10U);
  EXPECT_THAT(result.notes.front(), HasSubstr("the sweep is connections 1, 1000 instead of"));
  EXPECT_THAT(result.notes.back(), HasSubstr("Experiment e9 is left out"));
}

TEST(Fit, SmokeIsShort) {
  const Fitted result = fitted("smoke", 6, 2);
  EXPECT_LE(result.estimate, seconds(11));
  for (const Experiment& experiment : result.experiments) {
    EXPECT_LE(experiment.repetitions, 2U);
    EXPECT_LE(experiment.duration, milliseconds(300));
    EXPECT_GE(experiment.duration, milliseconds(50));
  }
  EXPECT_THAT(result.notes, testing::Not(IsEmpty()));
}

TEST(Fit, FullRunsTheFilesAsTheyAre) {
  const Fitted result = fitted("full", 32, 10);
  EXPECT_EQ(result.experiments.size(), 10U);
  EXPECT_EQ(result.experiments[9].sweep[0].values.size(), 5U);
  EXPECT_THAT(result.notes, IsEmpty());
  EXPECT_GT(result.estimate, seconds(8000));
}

TEST(Fit, LeavesFixedAmountsAlone) {
  const Fitted result = fitted("quick", 6, 2, {.duration = seconds(2), .repetitions = 4});
  for (const Experiment& experiment : result.experiments) {
    EXPECT_EQ(experiment.duration, seconds(2));
    EXPECT_EQ(experiment.repetitions, 4U);
  }
  EXPECT_LE(result.estimate, seconds(210));
}

TEST(Fit, SaysWhenFixedAmountsBreakThePromise) {
  const Fitted result = fitted("smoke", 6, 2, {.duration = seconds(10), .repetitions = 5});
  EXPECT_EQ(result.experiments.size(), 1U);
  EXPECT_THAT(result.experiments[0].sweep[0].values, ElementsAre(1, 1000));
  EXPECT_THAT(result.notes.back(), HasSubstr("Profile smoke promises 15 s"));
}

TEST(Fit, KeepsComfortableWindowsWhereLaunchingTakesTheTime) {
  const auto list = models(32);
  auto asked = experiments(2);
  for (Experiment& experiment : asked) experiment.launching = seconds(2);
  const Fitted result =
      fit(asked, experiment_cost(list, kPlenty, Counting::last_points), *find_profile("smoke"), {});
  ASSERT_EQ(result.experiments.size(), 1U);
  EXPECT_EQ(result.experiments[0].duration, milliseconds(200));
  EXPECT_THAT(
      result.notes.back(),
      HasSubstr("Profile smoke promises 15 s, and these models (--models) in one experiment "
                "take, at the least, about "));
}

TEST(Fit, LeavesOutACellThatWouldTakeTheTimeOfAllOthers) {
  auto list = models(31);
  list.push_back(fixtures::model("starter"));
  list.back().capabilities.program_per_connection = true;
  std::vector<Experiment> asked = experiments(3);
  for (Experiment& experiment : asked) experiment.sweep[0].values = {1, 2000};
  const Profile quick = *find_profile("quick");
  const CellLimits limits{.descriptors = 100'000, .trial_overhead = quick.longest_overhead};
  const auto fit_within = [&](const CellLimits& within) {
    return fit(asked, experiment_cost(list, within, Counting::none), quick, {});
  };
  EXPECT_LT(fit_within(kPlenty).experiments.size(), fit_within(limits).experiments.size());
  const auto reason = [&](const Profile& profile) {
    const CellLimits within{.descriptors = 100'000, .trial_overhead = profile.longest_overhead};
    return make_cells({list.back()}, {asked[0]}, within).back().skipped.value_or("");
  };
  EXPECT_EQ(reason(quick),
            "opening and closing its 2000 connections may take 11 s, too long for the profile's "
            "time; --profile full measures it");
  EXPECT_EQ(reason(*find_profile("full")), "");
}

TEST(FindProfile, RefusesOthers) {
  EXPECT_THAT(find_profile("fast").error().message, HasSubstr("smoke, quick and full"));
}

}  // namespace
}  // namespace muxbench
