#include "analysis/noise_floor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/findings.h"
#include "export/comparison_text.h"
#include "fixtures.h"

namespace muxbench {
namespace {

using fixtures::times;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::vector<double> kRates{100e3, 101e3, 99e3, 100.5e3, 99.5e3};

// Model a is `a` times as fast as kRates, b as kRates; a under its second name is `twin` times as a.
Json report_of(double a, double twin) {
  auto record = fixtures::record(times(kRates, a), kRates);
  for (unsigned i = 0; twin > 0 && i < kRates.size(); ++i) {
    record.twin_trials.push_back(fixtures::trial(0, i, kRates[i] * a * twin));
  }
  return fixtures::report_json(record);
}

NoiseFloor floor_of(const Json& json) {
  const auto report = read_report(json, "test.json");
  EXPECT_TRUE(report) << report.error().message;
  return NoiseFloor(twin_ratios(*report, PairedSlices(*report)));
}

MeasuredReport measured(double a, double twin, const std::string& file) {
  const auto report = fixtures::measured(report_of(a, twin), file);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return *report;
}

TEST(NoiseFloor, IsHowFarTheSameServerIsFromItself) {
  for (const double twin : {1.04, 1 / 1.04}) {
    const NoiseFloor floor = floor_of(report_of(1, twin));
    EXPECT_NEAR(floor.of("load", "requests_per_second"), 1.04, 1e-9);
    // The same CPU time and more requests: the trials' own values of each metric count.
    EXPECT_NEAR(floor.of("load", "server_cpu_ns_per_request"), 1.04, 1e-4);
    EXPECT_EQ(floor.of("load", "server_memory_bytes"), 1);
    EXPECT_EQ(floor.of("other", "requests_per_second"), 1);
    EXPECT_TRUE(floor.holds("load", "requests_per_second", 1.039));
    EXPECT_TRUE(floor.holds("load", "requests_per_second", 1 / 1.039));
    EXPECT_FALSE(floor.holds("load", "requests_per_second", 1.041));
    EXPECT_FALSE(floor.holds("load", "requests_per_second", 1 / 1.041));
  }
}

TEST(NoiseFloor, TakesAsManyTrialsOfBothNames) {
  auto record = fixtures::record(kRates, kRates);
  for (unsigned i = 0; i < kRates.size(); ++i) {
    record.twin_trials.push_back(fixtures::trial(0, i, kRates[i] * 1.04));
  }
  // What --target-ci adds.
  for (unsigned i = 5; i < 10; ++i) record.trials.push_back(fixtures::trial(0, i, 110e3));
  const Json report = fixtures::report_json(record);
  EXPECT_NEAR(floor_of(report).of("load", "requests_per_second"), 1.04, 1e-9);
  EXPECT_NEAR(report.at("muxbench").at("noise_floor")[0].at("ratio").get<double>(), 1.04, 1e-9);
}

TEST(NoiseFloor, IsNotThatOfAnOverload) {
  auto record = fixtures::record(kRates, kRates);
  for (unsigned i = 0; i < kRates.size(); ++i) {
    record.twin_trials.push_back(fixtures::trial(0, i, kRates[i] * 1.04));
  }
  report::Report report = make_report(record);
  EXPECT_EQ(conclude(report).noise_floor.size(), 1U);
  report.experiments[0].cells[0].flags.push_back(
      {.kind = "rate_not_reached", .detail = "an overload"});
  const report::Conclusions conclusions = conclude(report);
  EXPECT_THAT(conclusions.noise_floor, IsEmpty());
  EXPECT_THAT(to_json(report).dump(), Not(HasSubstr("noise floor is")));
  report.conclusions = conclusions;
  EXPECT_THAT(to_json(report).dump(), HasSubstr("The noise floor is not known"));
  EXPECT_EQ(NoiseFloor(twin_ratios(report, PairedSlices(report))).of("load", "requests_per_second"),
            1);
}

TEST(NoiseFloor, OfThroughputIsNoneInAnOpenLoop) {
  Json report = report_of(1, 1.04);
  for (Json& experiment : report["muxbench"]["experiments"]) experiment["load"]["mode"] = "open";
  EXPECT_EQ(floor_of(report).of("load", "requests_per_second"), 1);
  EXPECT_NEAR(floor_of(report).of("load", "server_cpu_ns_per_request"), 1.04, 1e-4);
  EXPECT_THAT(fixtures::findings_text(report), HasSubstr("The noise floor is not known"));
}

TEST(NoiseFloor, IsNoneWithoutTwinsOrWithoutTheMetricInEachTrial) {
  EXPECT_EQ(floor_of(report_of(1, 0)).of("load", "requests_per_second"), 1);
  Json old = report_of(1, 1.04);
  old["muxbench"].erase("twin_trials");
  EXPECT_EQ(floor_of(old).of("load", "requests_per_second"), 1);
  Json report = report_of(1, 1.04);
  EXPECT_GT(floor_of(report).of("load", "latency_mean_ns"), 1.03);
  report["muxbench"]["twin_trials"][2]["load"]["latency_ns"].erase("mean");
  EXPECT_EQ(floor_of(report).of("load", "latency_mean_ns"), 1);
}

TEST(NoiseFloor, OfEitherReportIsRemarkedByACompare) {
  for (const bool in_base : {true, false}) {
    const auto base = measured(1, in_base ? 1.08 : 1.001, "base.json");
    const auto now = measured(1.05, in_base ? 1.001 : 1.08, "new.json");
    const std::string file = in_base ? "base.json" : "new.json";
    const auto result = compare_reports(base, now, {});
    const CellComparison& cell = result->cells[0];
    EXPECT_EQ(cell.verdict, Verdict::faster) << "a remark takes no verdict away";
    EXPECT_THAT(cell.inside_noise_floor_of, ElementsAre(file));
    ASSERT_THAT(result->remarks,
                ElementsAre("experiment load: 1 of 1 differences in requests_per_second inside the "
                            "noise floor of " +
                            file + ": the same server under two names differed by 8.0 % there"));
    EXPECT_THAT(result->cells[1].inside_noise_floor_of, IsEmpty()) << "it is no difference";
    for (const std::string& text : {as_terminal_text(*result, false), as_markdown(*result)}) {
      EXPECT_THAT(text, HasSubstr("- " + result->remarks[0]));
      EXPECT_THAT(text, HasSubstr("| faster (inside the noise floor of " + file + ")"));
    }
    const Json json = as_json(*result);
    EXPECT_EQ(json.at("remarks"), Json{result->remarks[0]});
    EXPECT_EQ(json.at("cells")[0].at("inside_noise_floor_of"), Json{file});
    EXPECT_FALSE(json.at("cells")[1].contains("inside_noise_floor_of"));
  }
}

TEST(NoiseFloor, OfBothReportsAndWithinOneIsRemarked) {
  const auto both =
      compare_reports(measured(1, 1.08, "base.json"), measured(0.95, 0.92, "new.json"), {});
  EXPECT_EQ(both->cells[0].verdict, Verdict::slower);
  EXPECT_EQ(both->cells[0].reason, "inside the noise floor of base.json and new.json");
  EXPECT_EQ(both->remarks.size(), 2U);
  const auto models = compare_models(measured(1.05, 1.08, "one.json"), "a", "b", {});
  EXPECT_EQ(models->cells[0].reason, "inside the noise floor of one.json");
  EXPECT_EQ(models->remarks.size(), 1U);
}

TEST(NoiseFloor, LeavesWhatIsBeyondItAlone) {
  const auto result =
      compare_reports(measured(1, 1.01, "base.json"), measured(1.05, 1.01, "new.json"), {});
  EXPECT_EQ(result->cells[0].verdict, Verdict::faster);
  EXPECT_EQ(result->cells[0].reason, "");
  EXPECT_THAT(result->remarks, IsEmpty());
}

std::string best_throughput(double a, double twin) {
  const Json report = report_of(a, twin);
  for (const Json& finding : report.at("muxbench").at("findings")) {
    if (finding.value("metric", "") == "requests_per_second") return finding.at("text");
  }
  return "";
}

TEST(NoiseFloor, MakesATieOfABestThatIsInsideOfIt) {
  EXPECT_THAT(best_throughput(1.05, 1.01), HasSubstr("Highest throughput: **a** at"));
  EXPECT_THAT(best_throughput(1.05, 1.08), HasSubstr("Highest throughput: a tie of a, b at"));
  EXPECT_THAT(best_throughput(1.05, 1 / 1.08), HasSubstr("a tie of a, b at"));
}

}  // namespace
}  // namespace muxbench
