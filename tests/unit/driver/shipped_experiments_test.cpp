// The files of bench/experiments/ as they are shipped, held to what docs/experiments.md says of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "fixtures.h"
#include "plan/experiment_file.h"
#include "plan/slices.h"
#include "plan/time_budget.h"
#include "system/build_info.h"

namespace muxbench {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Experiment> shipped() {
  auto experiments = load_experiments(build_info().experiments_dir);
  EXPECT_TRUE(experiments.ok()) << experiments.error().message;
  return *experiments;
}

std::string text_of(const char* file) {
  const auto root = std::filesystem::path(build_info().experiments_dir).parent_path().parent_path();
  const auto text = read_file((root / file).string());
  EXPECT_TRUE(text.ok()) << text.error().message;
  return *text;
}

// Models that leave no cell out for what they cannot do.
std::vector<Model> able_models(int count) {
  std::vector<Model> models;
  for (int i = 0; i < count; ++i) {
    models.push_back(fixtures::model("m" + std::to_string(i)));
    Capabilities& can = models.back().capabilities;
    can.workers = true;
    can.protocols = {"echo", "greet", "http"};
    can.transports = {"tcp", "unix"};
    can.work = {"none", "spin", "sleep", "child"};
  }
  return models;
}

Fitted planned(const std::string& profile, const std::vector<Model>& models, std::uint64_t cpus) {
  std::string note;
  std::vector<Experiment> experiments;
  for (const Experiment& experiment : shipped()) {
    experiments.push_back(for_cpus(with_profile(experiment, profile), cpus, note));
  }
  const Profile found = *find_profile(profile);
  const CellLimits limits{.descriptors = 1'000'000, .cpus = cpus};
  return fit(experiments, experiment_cost(models, limits, found.counting), found, {});
}

TEST(ShippedExperiments, StateTheirQuestionAsTheDocumentationDoes) {
  const std::string page = text_of("docs/experiments.md");
  for (const Experiment& experiment : shipped()) {
    EXPECT_THAT(page, HasSubstr("\n| `" + experiment.name + "` | " + experiment.question + " |"));
  }
}

TEST(ShippedExperiments, AreAllRunAsTheyAreInFull) {
  const auto all = shipped();
  EXPECT_TRUE(check_repetitions(all, *find_profile("full"), {}));
  const Fitted full = planned("full", able_models(32), 8);
  EXPECT_THAT(full.notes, IsEmpty());
  ASSERT_EQ(full.experiments.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(full.experiments[i].duration, all[i].duration) << all[i].name;
    EXPECT_EQ(full.experiments[i].repetitions, all[i].repetitions) << all[i].name;
  }
}

TEST(ShippedExperiments, AreSampledWithinFiveMinutesInQuick) {
  // After the trials come the micro-benchmarks and the charts.
  constexpr seconds kDrawing(20);
  const Profile quick = *find_profile("quick");
  EXPECT_LE(*quick.limit + quick.micro.budget + kDrawing, minutes(5));

  for (const int models : {1, 2, 6, 16, 32, 40}) {
    for (const std::uint64_t cpus : {1, 4, 64}) {
      const Fitted sample = planned("quick", able_models(models), cpus);
      EXPECT_LE(sample.estimate, quick.target) << models << " models, " << cpus << " CPUs";
      EXPECT_GE(sample.experiments.size(), 2U) << models << " models, " << cpus << " CPUs";
      for (const Experiment& experiment : sample.experiments) {
        EXPECT_GE(experiment.repetitions, 3U) << experiment.name;
        EXPECT_GE(experiment.duration, quick.shortest) << experiment.name;
      }
    }
  }
}

TEST(ShippedExperiments, AreInQuickTheseUnlessOthersAreNamed) {
  std::vector<std::string> names;
  for (const Experiment& experiment : shipped()) {
    if (!experiment.is_only_if_named("quick")) names.push_back(experiment.name);
    EXPECT_FALSE(experiment.is_only_if_named("full")) << experiment.name;
  }
  EXPECT_THAT(
      names, testing::UnorderedElementsAre("connections", "idle", "latency", "churn", "work_spin"));
}

TEST(ShippedExperiments, AreInSlicesWhereWindowsNeedNotBeLong) {
  std::vector<std::string> trials;
  for (const Experiment& experiment : shipped()) {
    EXPECT_FALSE(experiment.method) << experiment.name << " says no other than the usual one";
    if (usual_method(experiment) == Method::trials) trials.push_back(experiment.name);
  }
  EXPECT_THAT(trials,
              testing::UnorderedElementsAre("cores", "imbalance", "stall", "stall_mid_message",
                                            "work_block", "work_child"));
}

TEST(ShippedExperiments, AnswerByWhatTheirQuestionIsAbout) {
  std::map<std::string, std::string> metrics;
  for (const Experiment& experiment : shipped()) metrics[experiment.name] = experiment.metric;
  for (const char* name : {"imbalance", "latency", "stall", "stall_mid_message"}) {
    EXPECT_EQ(metrics.at(name), "latency_p99_ns") << name;
  }
  EXPECT_EQ(metrics.at("connections"), "server_cpu_ns_per_request");
  EXPECT_EQ(metrics.at("cores"), "requests_per_second");
}

}  // namespace
}  // namespace muxbench
