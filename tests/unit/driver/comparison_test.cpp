#include "analysis/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "export/comparison_text.h"
#include "fixtures.h"

namespace muxbench {
namespace {

using fixtures::times;
using testing::HasSubstr;
using testing::Not;

const std::vector<double> kBase{100e3, 101e3, 99e3, 100.5e3, 99.5e3};

Json report_json(const std::vector<double>& a, const std::vector<double>& b) {
  auto record = fixtures::record(a, b);
  return fixtures::report_json(record);
}

MeasuredReport measured(const std::vector<double>& a, const std::vector<double>& b = kBase,
                        const std::string& file = "base.json") {
  auto report = fixtures::measured(report_json(a, b), file);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return *report;
}

// The verdict on model a, whose trials are `now`; model b is as it was.
CellComparison verdict_on(const std::vector<double>& now, CompareSettings settings = {},
                          const std::vector<double>& base = kBase) {
  const auto result = compare_reports(measured(base), measured(now, kBase, "new.json"), settings);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result->cells.size(), 2U);
  EXPECT_EQ(result->cells[0].cell, "a/load/connections:8");
  EXPECT_EQ(result->cells[1].verdict, Verdict::same);
  return result->cells[0];
}

TEST(Compare, GivesTheVerdictsThatTrialsSupport) {
  EXPECT_EQ(verdict_on(times(kBase, 1.1)).verdict, Verdict::faster);
  EXPECT_EQ(verdict_on(times(kBase, 0.9)).verdict, Verdict::slower);
  EXPECT_EQ(verdict_on(times(kBase, 1.001)).verdict, Verdict::same);
  EXPECT_EQ(verdict_on({93e3, 107e3, 95e3, 105e3, 99e3}).verdict, Verdict::inconclusive);
  EXPECT_EQ(verdict_on({130e3, 131e3, 132e3}).verdict, Verdict::insufficient);
  EXPECT_EQ(verdict_on({130e3, 131e3, 132e3, 133e3}).verdict, Verdict::faster) << "4 are enough";
}

TEST(Compare, MemoryOfAnotherDefinitionIsNotCompared) {
  const auto of_source = [](const char* source) {
    Json json = report_json(kBase, kBase);
    for (Json& trial : json["muxbench"]["trials"]) trial["server"]["memory"]["source"] = source;
    return *fixtures::measured(json, "base.json");
  };
  const auto verdict = [&](const char* before, const char* after) {
    const auto compared =
        compare_reports(of_source(before), of_source(after), {.metrics = {"server_memory_bytes"}});
    return std::pair(compared->cells.at(0).verdict, compared->cells.at(0).reason);
  };
  EXPECT_EQ(verdict("Pss_Anon and Pss_Shmem", "Pss_Anon and Pss_Shmem of 3 processes").first,
            Verdict::same);
  EXPECT_EQ(verdict("Pss", "sum of Pss over 3 processes").first, Verdict::same);
  EXPECT_EQ(verdict("VmHWM", "Pss").first, Verdict::refused);
  EXPECT_EQ(verdict("Pss", "Pss_Anon and Pss_Shmem"),
            std::pair(Verdict::refused, std::string("memory is Pss on one side and Pss_Anon and "
                                                    "Pss_Shmem on the other")));
}

TEST(Compare, AbsenceOfProofIsNotSameness) {
  // Half a per cent apart, and far too noisy to tell: not significant, and not "same" either.
  const CellComparison cell = verdict_on(times({92e3, 108e3, 94e3, 106e3, 100e3}, 1.005));
  EXPECT_GT(cell.ratio->p, 0.5);
  EXPECT_EQ(cell.verdict, Verdict::inconclusive);
  const auto strict = compare_reports(measured(kBase), measured(kBase), {.margin = 0.001});
  EXPECT_EQ(strict->cells[0].verdict, Verdict::inconclusive);
}

TEST(Compare, KnowsWhichDirectionIsBetter) {
  // The same requests in the same CPU time: more throughput makes it less per request.
  const CellComparison cpu =
      verdict_on(times(kBase, 1.1), {.metrics = {"server_cpu_ns_per_request"}});
  EXPECT_LT(cpu.ratio->ratio, 1);
  EXPECT_FALSE(cpu.more_is_better);
  EXPECT_EQ(cpu.verdict, Verdict::faster);
}

TEST(Compare, LooksAtWhatAnswersTheExperiment) {
  Json json = report_json(kBase, kBase);
  Json& experiment = json["muxbench"]["experiments"][0];
  const auto compared = [&] {
    const MeasuredReport report = *fixtures::measured(json, "base.json");
    return compare_reports(report, report, {})->cells.at(0).metric;
  };
  EXPECT_EQ(compared(), "requests_per_second");
  experiment["metric"] = "server_memory_bytes";
  EXPECT_EQ(compared(), "server_memory_bytes");
  experiment["metric"] = "of_a_newer_version";
  EXPECT_EQ(compared(), "requests_per_second");
  experiment["load"]["mode"] = "open";
  experiment.erase("metric");  // as in older reports
  EXPECT_EQ(compared(), "latency_p99_ns");
}

TEST(Compare, IsAntisymmetric) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> draw(100e3, 3e3);
  for (int i = 0; i < 50; ++i) {
    std::vector<double> a(6);
    std::vector<double> b(6);
    for (double& value : a) value = draw(random);
    for (double& value : b) value = draw(random) * 1.03;
    const auto forth = compare_reports(measured(a, a), measured(b, b), {});
    const auto back = compare_reports(measured(b, b), measured(a, a), {});
    for (std::size_t cell = 0; cell < 2; ++cell) {
      const Verdict there = forth->cells[cell].verdict;
      const Verdict here = back->cells[cell].verdict;
      EXPECT_EQ(there == Verdict::faster, here == Verdict::slower);
      EXPECT_EQ(there == Verdict::slower, here == Verdict::faster);
      EXPECT_EQ(there == Verdict::same, here == Verdict::same);
      EXPECT_EQ(forth->cells[cell].adjusted_p, back->cells[cell].adjusted_p);
    }
  }
}

TEST(Compare, TwoModelsOfOneReport) {
  const auto report = measured(kBase, times(kBase, 1.2));
  const auto result = compare_models(report, "a", "b", {});
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->cells.size(), 1U);
  EXPECT_EQ(result->cells[0].cell, "load/connections:8");
  EXPECT_EQ(result->cells[0].verdict, Verdict::faster);
  EXPECT_NEAR(result->cells[0].ratio->ratio, 1.2, 1e-9);
  EXPECT_THAT(compare_models(report, "a", "c", {}).error().message, HasSubstr("no model \"c\""));
  EXPECT_FALSE(compare_models(report, "a", "a", {}).ok());
}

TEST(Compare, OtherConditionsAreListedAndRefused) {
  auto now = measured(times(kBase, 0.5));
  now.conditions["host: kernel"] = "\"Linux 9.9\"";
  const auto refused = compare_reports(measured(kBase), now, {});
  ASSERT_EQ(refused->differences.size(), 1U);
  EXPECT_THAT(refused->differences[0], HasSubstr("kernel"));
  for (const CellComparison& cell : refused->cells) EXPECT_EQ(cell.verdict, Verdict::refused);
  EXPECT_EQ(regression_of(*refused, 0.05), Regression::undecided);
  EXPECT_THAT(as_terminal_text(*refused, true), HasSubstr("Linux 9.9"));
  const auto asked = compare_reports(measured(kBase), now, {.across_hosts = true});
  EXPECT_EQ(asked->cells[0].verdict, Verdict::slower);
  EXPECT_EQ(asked->differences.size(), 1U);
}

TEST(Compare, WhatVariesFromRunToRunIsNoCondition) {
  const Json base = report_json(kBase, kBase);
  Json now = base;
  now["context"]["load_avg"] = {7.5, 7.5, 7.5};
  now["context"]["mhz_per_cpu"] = 801;
  now["muxbench"]["run"]["steal_ns"] = 123456789;
  now["muxbench"]["host"]["descriptor_limit"] = 99;
  now["muxbench"]["host"]["limits"]["processes"] = 99;
  now["muxbench"]["plan"]["trials"] = 99;
  const auto compare = [&] {
    return compare_reports(*fixtures::measured(base, "base.json"),
                           *fixtures::measured(now, "new.json"), {});
  };
  EXPECT_THAT(compare()->differences, testing::IsEmpty());
}

TEST(Compare, WhatOneReportDoesNotTellIsRemarked) {
  Json base = report_json(kBase, kBase);
  Json now = base;
  const auto compare = [&] {
    return compare_reports(*fixtures::measured(base, "base.json"),
                           *fixtures::measured(now, "new.json"), {});
  };
  for (const char* condition : {"smt", "glibc"}) {
    base["muxbench"]["host"].erase(condition);
    now["muxbench"]["host"][condition] = "this";
    EXPECT_THAT(compare()->differences, testing::IsEmpty());
    EXPECT_THAT(compare()->remarks,
                testing::ElementsAre(
                    fmt::format("host: {}: \"this\", and base.json does not tell", condition)));
    base["muxbench"]["host"][condition] = "another";
    EXPECT_THAT(compare()->differences, testing::ElementsAre(HasSubstr(condition)));
    base["muxbench"]["host"][condition] = "this";
    EXPECT_THAT(compare()->remarks, testing::IsEmpty());
  }
}

TEST(Compare, AnotherLoadGeneratorIsRemarked) {
  Json base = report_json(kBase, kBase);
  Json now = base;
  base["muxbench"]["plan"]["loadgen_sha256"] = std::string(64, 'a');
  now["muxbench"]["plan"]["loadgen_sha256"] = std::string(64, 'b');
  const auto result = compare_reports(*fixtures::measured(base, "base.json"),
                                      *fixtures::measured(now, "new.json"), {});
  EXPECT_THAT(result->remarks,
              testing::ElementsAre(fmt::format("load generator: sha256: {:.60} against {:.60}",
                                               std::string(64, 'a'), std::string(64, 'b'))));
  EXPECT_THAT(result->differences, testing::IsEmpty());
}

// Often it is the slowest trial that lacks a percentile; the others must not speak for it.
TEST(Compare, AMetricThatOneTrialLacksIsNotMeasured) {
  Json json = report_json(kBase, kBase);
  for (Json& trial : json["muxbench"]["trials"]) trial["load"]["latency_ns"]["p99"] = 1000;
  const CompareSettings settings{.metrics = {"latency_p99_ns"}};
  const auto base = *fixtures::measured(json, "base.json");
  EXPECT_EQ(compare_reports(base, base, settings)->cells[0].verdict, Verdict::same);
  json["muxbench"]["trials"][0]["load"]["latency_ns"].erase("p99");
  const auto result = compare_reports(base, *fixtures::measured(json, "new.json"), settings);
  const std::string model = json["muxbench"]["trials"][0]["cell"].get<std::string>().substr(0, 1);
  const CellComparison& cell = result->cells[model == "a" ? 0 : 1];
  EXPECT_EQ(cell.verdict, Verdict::missing);
  EXPECT_THAT(cell.reason, HasSubstr("not measured, or 0, in some trial"));
  EXPECT_EQ(regression_of(*result, 0.05), Regression::undecided);
  EXPECT_EQ(
      regression_of(*compare_reports(*fixtures::measured(json, "new.json"), base, settings), 0.05),
      Regression::undecided);
}

TEST(Compare, TrialsOfACellThatWasNotMeasuredCountForNothing) {
  auto now = measured(times(kBase, 0.5));
  now.cells[0].status = "failed";
  const auto result = compare_reports(measured(kBase), now, {});
  EXPECT_EQ(result->cells[0].verdict, Verdict::missing);
  EXPECT_EQ(result->cells[0].new_trials, 0U);
}

TEST(Compare, TellsOfUnfinishedRunsAndOtherBuilds) {
  auto now = measured(kBase, kBase, "new.json");
  EXPECT_TRUE(compare_reports(measured(kBase), now, {})->remarks.empty());
  now.status = "interrupted";
  now.identities["muxbench revision"] = "another";
  const auto result = compare_reports(measured(kBase), now, {});
  ASSERT_EQ(result->remarks.size(), 2U);
  EXPECT_EQ(result->remarks[0], "new.json: the run was interrupted");
  EXPECT_THAT(result->remarks[1], HasSubstr("muxbench revision"));
  EXPECT_EQ(result->cells[0].verdict, Verdict::same) << "a remark takes no verdict away";
  EXPECT_THAT(as_markdown(*result), HasSubstr("the run was interrupted"));
}

TEST(Compare, WhatAnswersAnExperimentInEitherReportIsCompared) {
  auto now = measured(kBase, kBase, "new.json");
  now.metrics["load"] = "latency_p50_ns";
  for (const auto& result :
       {compare_reports(measured(kBase), now, {}), compare_reports(now, measured(kBase), {})}) {
    ASSERT_EQ(result->cells.size(), 4U);
    EXPECT_EQ(result->cells[0].metric, "latency_p50_ns");
    EXPECT_EQ(result->cells[1].metric, "requests_per_second");
    EXPECT_THAT(result->remarks, testing::Contains(HasSubstr("both are compared")));
  }
}

TEST(Compare, TwoModelsOfAnInterruptedRunSaySo) {
  auto report = measured(kBase);
  report.status = "interrupted";
  EXPECT_THAT(compare_models(report, "a", "b", {})->remarks,
              testing::ElementsAre("base.json: the run was interrupted"));
}

TEST(Compare, AWideMarginHidesNoRegression) {
  const auto result =
      compare_reports(measured(kBase), measured(times(kBase, 0.9)), {.margin = 0.2});
  EXPECT_EQ(result->cells[0].verdict, Verdict::same);
  EXPECT_EQ(regression_of(*result, 0.05), Regression::yes);
}

TEST(Compare, FlaggedCellsGetNoVerdict) {
  auto now = measured(times(kBase, 0.5));
  now.cells[0].flags = {{"saturated_load", ""}};
  const auto result = compare_reports(measured(kBase), now, {});
  EXPECT_EQ(result->cells[0].verdict, Verdict::flagged);
  EXPECT_THAT(result->cells[0].reason, HasSubstr("saturated_load"));
  EXPECT_FALSE(result->cells[0].adjusted_p) << "it is not of the family that is corrected";
  EXPECT_FALSE(as_json(*result).at("cells")[0].contains("adjusted_p"));
  EXPECT_EQ(regression_of(*result, 0.05), Regression::undecided);
}

TEST(Compare, MissingCellsAreNamed) {
  auto now = measured(kBase);
  now.cells.erase(now.cells.begin());
  const auto result = compare_reports(measured(kBase), now, {});
  EXPECT_EQ(result->cells[0].verdict, Verdict::missing);
  EXPECT_EQ(result->cells[0].reason, "new: no such cell");
  EXPECT_EQ(regression_of(*result, 0.05), Regression::undecided);
  // The other way round the base never had it: nothing can have become worse.
  EXPECT_EQ(regression_of(*compare_reports(now, measured(kBase), {}), 0.05), Regression::no);
  auto base = measured(kBase);
  const auto regression_from = [&](const char* status) {
    base.cells[0] = {.model = base.cells[0].model,
                     .experiment = base.cells[0].experiment,
                     .point = base.cells[0].point,
                     .status = status};
    return regression_of(*compare_reports(base, measured(kBase), {}), 0.05);
  };
  EXPECT_EQ(regression_from("skipped"), Regression::no);
  EXPECT_EQ(regression_from("failed"), Regression::no);
  EXPECT_EQ(regression_from("missing"), Regression::undecided);  // its run ended before
  now.cells.clear();
  const auto none = compare_reports(measured(kBase), now, {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().exit, Exit::usage);
}

TEST(Regression, IsDecidedOnlyWhereTrialsDecide) {
  const auto of = [](const CellComparison& cell) { return regression_of(cell, 0.05); };
  EXPECT_EQ(of(verdict_on(times(kBase, 0.9))), Regression::yes);
  EXPECT_EQ(of(verdict_on(kBase)), Regression::no);
  EXPECT_EQ(of(verdict_on(times(kBase, 1.5))), Regression::no);
  EXPECT_EQ(of(verdict_on(times(kBase, 0.975))), Regression::no);  // slower, but surely not by 5 %
  EXPECT_EQ(of(verdict_on({90e3, 108e3, 91e3, 106e3, 100e3})), Regression::undecided);
  EXPECT_EQ(of(verdict_on({50e3, 50e3})), Regression::undecided);  // insufficient
}

TEST(Regression, OfWhatHadBetterBeLessIsAsMuchMore) {
  const auto grown = [](double ratio) {
    return CellComparison{
        .metric = "latency_p99_ns",
        .more_is_better = false,
        .verdict = Verdict::slower,
        .ratio = Ratio{.ratio = ratio, .low = ratio - 0.001, .high = ratio + 0.001},
        .differs = true};
  };
  EXPECT_EQ(regression_of(grown(1.051), 0.05), Regression::yes);
  EXPECT_EQ(regression_of(grown(1.048), 0.05), Regression::no);
  EXPECT_EQ(regression_of(grown(1.24), 0.2), Regression::yes);
  EXPECT_EQ(regression_of(grown(1.18), 0.2), Regression::no);
}

TEST(ComparisonText, ColoursOnlyWhatIsSignificant) {
  const auto slower = compare_reports(measured(kBase), measured(times(kBase, 0.9)), {});
  const std::string text = as_terminal_text(*slower, true);
  EXPECT_THAT(text, HasSubstr("\033[31m| a/load"));
  EXPECT_THAT(text, HasSubstr("1 same, 1 slower"));
  EXPECT_THAT(text, HasSubstr("by Holm"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\033'), 2);
  EXPECT_THAT(as_terminal_text(*slower, false), Not(HasSubstr("\033")));
  EXPECT_THAT(as_markdown(*slower), HasSubstr("| a/load/connections:8 | requests_per_second |"));
  const Json json = as_json(*slower);
  EXPECT_EQ(json.at("cells")[0].at("verdict"), "slower");
  EXPECT_NEAR(json.at("cells")[0].at("ratio").get<double>(), 0.9, 1e-9);
  EXPECT_EQ(json.at("correction"), "Holm");
}

}  // namespace
}  // namespace muxbench
