// Reports that were measured in slices: written, read, compared, and what is found in them.
#include "report/slices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/comparison.h"
#include "analysis/host_states.h"
#include "export/comparison_text.h"
#include "export/summary_markdown.h"
#include "report/report_check.h"
#include "sliced_report.h"

namespace muxbench {
namespace {

using fixtures::sliced_json;
using fixtures::sliced_report;
using fixtures::SlicedModel;
using fixtures::SlicedRun;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kCpu = "server_cpu_ns_per_request";
constexpr const char* kRate = "requests_per_second";

const report::Cell& cell_of(const report::Report& report, const std::string& model) {
  for (const report::Cell& cell : report.experiments.front().cells) {
    if (cell.model == model) return cell;
  }
  throw std::runtime_error("no model " + model);
}

TEST(Slices, AreReadAsTheyWereWritten) {
  const report::Report report = sliced_report({});
  const auto read = read_report(sliced_json({}), "r.json");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->trials.size(), 6U);
  for (std::size_t i = 0; i < read->trials.size(); ++i) {
    EXPECT_EQ(read->trials[i].slices, report.trials[i].slices);
    EXPECT_EQ(read->trials[i].method, "slices");
  }
  const report::Cell& cell = cell_of(*read, "poll");
  EXPECT_TRUE(cell.sliced());
  EXPECT_EQ(cell.undisturbed->slices, 50U);
  EXPECT_EQ(cell.relative.at(kCpu).ratio, cell_of(report, "poll").relative.at(kCpu).ratio);
  EXPECT_EQ(cell.relative.at(kCpu).n, 72U);
  ASSERT_EQ(read->twins.size(), 1U);
  EXPECT_EQ(read->twins[0].id, "epoll_level (again)/load/connections:8");
  EXPECT_EQ(read->twins[0].model, "epoll_level");
}

TEST(Slices, OfUnequalLengthOrUnsortedAreRefused) {
  Json json = sliced_json({});
  Json& slices = json["muxbench"]["trials"][1]["slices"];
  const Json good = slices;
  const auto refusal = [&] {
    const auto checked = check_report(json, "r.json");
    return checked.ok() ? "" : checked.error().message;
  };
  EXPECT_EQ(refusal(), "");
  slices["disturbed"].erase(0);
  EXPECT_THAT(refusal(),
              HasSubstr("the slices of trial 1 of the cell "
                        "\"epoll_level/load/connections:8\" are no lists of one length"));
  slices = good;
  slices["block"][1] = 0;
  EXPECT_THAT(refusal(), HasSubstr("sorted by block"));
  slices = good;
  slices["latency_p50_ns"][0] = "fast";
  EXPECT_THAT(refusal(), HasSubstr("muxbench.trials[1].slices.latency_p50_ns[0] should be"));
}

TEST(Relative, IsTheReferencesRatioForEachMetric) {
  const report::Report report =
      sliced_report({.models = {{"poll", {.cpu_ns = 9450, .rate = 90e3}}, {"epoll_level", {}}}});
  const report::Cell& reference = cell_of(report, "epoll_level");
  EXPECT_EQ(reference.relative.at(kCpu).ratio, 1);
  EXPECT_EQ(reference.relative.at(kCpu).high, 1);
  const report::Relative& cpu = cell_of(report, "poll").relative.at(kCpu);
  EXPECT_NEAR(cpu.ratio, 1.05, 0.02);
  EXPECT_LT(cpu.low, cpu.ratio);
  EXPECT_GT(cpu.low, 1.02);
  EXPECT_EQ(cpu.n, 72U);
  const report::Relative& rate = cell_of(report, "poll").relative.at(kRate);
  EXPECT_NEAR(rate.ratio, 0.9, 0.02) << "disturbed slices have half of it";
  EXPECT_LT(rate.n, 72U);
  EXPECT_FALSE(cell_of(report, "poll").relative.contains("latency_p99_ns") &&
               cell_of(report, "poll").relative.at("latency_p99_ns").n > 3)
      << "no slice has one";
  EXPECT_EQ(cell_of(report, "poll").relative.at("server_memory_bytes").n, 3U) << "rounds";
}

TEST(Relative, IsNoneOfThroughputWhereTooFewPairsAreUndisturbed) {
  const report::Report report = sliced_report({.disturbed = 0.8});
  const report::Cell& cell = cell_of(report, "poll");
  EXPECT_TRUE(cell.relative.contains(kCpu));
  EXPECT_FALSE(cell.relative.contains(kRate));
}

double width(const report::Relative& relative) { return std::log(relative.high / relative.low); }

TEST(Relative, IsToBothServersOfTheReference) {
  report::Report report = sliced_report({.noise = 0.01});
  const report::Relative before = cell_of(report, "poll").relative.at(kCpu);
  for (report::Trial& twin : report.twin_trials) {
    for (auto& cpu : twin.slices->server_cpu_ns) cpu = cpu * 104 / 100;
  }
  add_relative(report);
  const report::Relative after = cell_of(report, "poll").relative.at(kCpu);
  EXPECT_NEAR(after.ratio, before.ratio / 1.02, 0.005);
  EXPECT_NEAR(report.twins.front().relative.at(kCpu).ratio, 1.04, 0.01) << "one to the other";
  EXPECT_EQ(after.n, 72U) << "blocks, not slices";

  report.twin_trials.clear();
  add_relative(report);
  const report::Relative alone = cell_of(report, "poll").relative.at(kCpu);
  EXPECT_NEAR(alone.ratio, before.ratio, 0.01);
  EXPECT_GT(width(alone), width(before)) << "one server of the reference says less than two";
}

TEST(Relative, OfTrialsIsThatOfTheirMeans) {
  auto record = fixtures::record({100e3, 101e3, 99e3}, {50e3, 51e3, 49e3, 70e3});
  report::Report report = make_report(record);
  add_relative(report);
  const auto& cells = report.experiments.front().cells;
  EXPECT_EQ(cells[0].relative.at(kRate).ratio, 1) << "no epoll_level: the first is the reference";
  EXPECT_NEAR(cells[1].relative.at(kRate).ratio, 0.5, 0.001);
  EXPECT_EQ(cells[1].relative.at(kRate).n, 3U);
}

TEST(Twins, AreMeasuredAtEveryPointAndAreTheNoiseFloor) {
  const report::Report report = sliced_report({.points = {8, 16}});
  ASSERT_EQ(report.twins.size(), 2U);
  for (const report::Cell& twin : report.twins) {
    EXPECT_NEAR(twin.relative.at(kCpu).ratio, 1, 0.02);
    EXPECT_EQ(twin.relative.at(kCpu).n, 72U);
  }
  const auto twins = twin_ratios(report, PairedSlices(report));
  EXPECT_GT(NoiseFloor(twins).of("load", kCpu), 1);
  EXPECT_LT(NoiseFloor(twins).of("load", kCpu), 1.03);
  EXPECT_THAT(summary_markdown(report),
              HasSubstr("The noise floor of server CPU per request: the same server measured twice "
                        "under two names, at 2 points"));
}

CellComparison compared(const Result<Comparison>& comparison, const std::string& name,
                        const std::string& metric) {
  for (const CellComparison& cell : comparison->cells) {
    if (cell.cell == name && cell.metric == metric) return cell;
  }
  throw std::runtime_error("no " + name + " by " + metric);
}

MeasuredReport measured(const SlicedRun& run, const std::string& file) {
  const auto report = fixtures::measured(sliced_json(run), file);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return *report;
}

TEST(CompareSlices, OfTwoModelsTakesPairsOfBlocks) {
  const MeasuredReport report =
      measured({.models = {{"base", {}}, {"new", {.cpu_ns = 9450}}}}, "r.json");
  const auto result = compare_models(report, "base", "new", {});
  const CellComparison cpu = compared(result, "load/connections:8", kCpu);
  EXPECT_TRUE(cpu.paired);
  EXPECT_EQ(cpu.base_trials, 72U);
  EXPECT_EQ(cpu.verdict, Verdict::slower);
  EXPECT_EQ(cpu.reference, "");
  EXPECT_NEAR(cpu.ratio->ratio, 1.05, 0.02);
  EXPECT_EQ(regression_of(*result, 0.03), Regression::yes);
  EXPECT_THAT(as_terminal_text(*result, false),
              AllOf(HasSubstr("72, 72 blocks"), HasSubstr("of slices in pairs"),
                    Not(HasSubstr("relative to"))));
  EXPECT_EQ(as_json(*result).at("cells")[1].at("counted"), "blocks");
}

TEST(CompareSlices, OfTheSameServerTwiceFindsNoRegression) {
  const MeasuredReport report =
      measured({.models = {{"base", {}}, {"new", {}}}, .blocks = 48, .noise = 0.01}, "r.json");
  const auto result = compare_models(report, "base", "new", {.metrics = {kCpu}});
  EXPECT_EQ(result->cells[0].verdict, Verdict::same);
  EXPECT_EQ(regression_of(*result, 0.05), Regression::no);
}

TEST(CompareSlices, BetweenReportsJudgesTheRatioToEachReference) {
  // The host became twice as slow and poll 10 % more costly.
  const SlicedRun base;
  const SlicedRun now{.models = {{"epoll_level", {}}, {"poll", {.cpu_ns = 9900, .rate = 100e3}}},
                      .host = 2,
                      .seed = 2};
  const auto result = compare_reports(measured(base, "base.json"), measured(now, "new.json"), {});
  const CellComparison cpu = compared(result, "poll/load/connections:8", kCpu);
  EXPECT_EQ(cpu.reference, "epoll_level");
  EXPECT_NEAR(cpu.ratio->ratio, 1.1, 0.03);
  EXPECT_EQ(cpu.verdict, Verdict::slower);
  ASSERT_TRUE(cpu.absolute);
  EXPECT_NEAR(cpu.absolute->ratio, 2, 0.3) << "the rounds' values, which the fixture halves";
  const CellComparison rate = compared(result, "poll/load/connections:8", kRate);
  EXPECT_NEAR(rate.ratio->ratio, 1, 0.03);
  const CellComparison reference = compared(result, "epoll_level/load/connections:8", kCpu);
  EXPECT_EQ(reference.verdict, Verdict::reference);
  EXPECT_TRUE(reference.absolute);
  EXPECT_FALSE(reference.ratio);
  EXPECT_EQ(regression_of(reference, 0.05), Regression::no);
  EXPECT_EQ(regression_of(*result, 0.05), Regression::yes);
  EXPECT_THAT(as_terminal_text(*result, false),
              AllOf(HasSubstr("relative to"), HasSubstr("absolute, over rounds"),
                    HasSubstr("reference (the others are compared with it)")));
  const Json json = as_json(*result);
  for (const Json& cell : json.at("cells")) {
    EXPECT_TRUE(cell.contains("absolute"));
    EXPECT_EQ(cell.contains("relative"), cell.at("verdict") != "reference");
    EXPECT_EQ(cell.at("reference"), "epoll_level");
  }
}

TEST(CompareSlices, IsAntisymmetricBetweenReports) {
  const MeasuredReport a = measured({.seed = 3}, "a.json");
  const MeasuredReport b = measured({.seed = 4}, "b.json");
  const auto forth = compare_reports(a, b, {});
  const auto back = compare_reports(b, a, {});
  for (std::size_t i = 0; i < forth->cells.size(); ++i) {
    EXPECT_EQ(forth->cells[i].adjusted_p, back->cells[i].adjusted_p);
    if (!forth->cells[i].ratio) continue;
    EXPECT_NEAR(forth->cells[i].ratio->low * back->cells[i].ratio->high, 1, 1e-12);
  }
}

TEST(CompareSlices, AWithheldMetricIsMissingWithItsReason) {
  report::Report report = sliced_report({});
  for (report::Cell& cell : report.experiments.front().cells) {
    cell.withheld[kRate] = "11 of 72 slices were undisturbed, and 20 are needed";
    cell.summary.erase(kRate);
  }
  for (report::Cell& twin : report.twins) twin = cell_of(report, "epoll_level");
  report.twins[0].id = report::twin_id(report.twins[0].id);
  const Json json = Json::parse(to_text(to_json(report)));
  const auto read = fixtures::measured(json, "r.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto result = compare_models(*read, "epoll_level", "poll", {});
  EXPECT_EQ(compared(result, "load/connections:8", kRate).verdict, Verdict::missing);
  EXPECT_THAT(compared(result, "load/connections:8", kRate).reason,
              HasSubstr("11 of 72 slices were undisturbed"));
  EXPECT_NE(compared(result, "load/connections:8", kCpu).verdict, Verdict::missing);
  EXPECT_EQ(regression_of(*result, 0.05), Regression::no) << "it is passed over";
  const auto named = compare_models(*read, "epoll_level", "poll", {.metrics = {kRate}});
  EXPECT_EQ(regression_of(*named, 0.05), Regression::undecided);
  EXPECT_THAT(fixtures::findings_text(json), Not(HasSubstr("Highest throughput")));
}

TEST(CompareSlices, CaveatsForbidNoVerdictAndOtherFlagsDo) {
  SlicedRun run{.models = {{"epoll_level", {}}, {"poll", {.cpu_ns = 12e3}}}};
  report::Report report = sliced_report(run);
  report::Cell& poll = report.experiments.front().cells[1];
  const auto verdict = [&] {
    const auto result = compare_models(*measured_report(report), "epoll_level", "poll", {});
    return compared(result, "load/connections:8", kCpu).verdict;
  };
  poll.flags = {{"few_undisturbed", "few"}, {"host_state", "it changed"}};
  EXPECT_EQ(verdict(), Verdict::slower);
  const std::string text = fixtures::findings_text(to_json(report));
  EXPECT_THAT(text, HasSubstr("Flagged as few_undisturbed: poll"));
  EXPECT_THAT(text, HasSubstr("Least server CPU per request: **epoll_level**"));
  poll.flags.push_back({"errors", "some"});
  EXPECT_EQ(verdict(), Verdict::flagged);
  EXPECT_THAT(fixtures::findings_text(to_json(report)),
              HasSubstr("Flagged as errors, so not ranked: poll"));
}

TEST(FindingsOfSlices, NameTheBestByPairsOfSlices) {
  const SlicedRun run{.models = {{"epoll_level", {}},
                                 {"poll", {.cpu_ns = 10e3}},
                                 {"select", {.cpu_ns = 8e3, .rate = 101e3}},
                                 {"kqueue", {.cpu_ns = 8010}}}};
  const std::string text = fixtures::findings_text(sliced_json(run));
  EXPECT_THAT(text, HasSubstr("Least server CPU per request: a tie of "));
  EXPECT_THAT(text, AllOf(HasSubstr("select"), HasSubstr("kqueue")));
  EXPECT_THAT(text, HasSubstr("Highest throughput: a tie of "));
  EXPECT_THAT(text, HasSubstr("More server CPU per request than epoll_level: poll at"));
  EXPECT_THAT(text, Not(HasSubstr("Measured too seldom")));
  EXPECT_THAT(text, Not(HasSubstr("noisy")));
}

TEST(FindingsOfSlices, NeedNoThreeRounds) {
  const SlicedRun run{.models = {{"epoll_level", {}}, {"poll", {.cpu_ns = 12e3}}}, .rounds = 1};
  EXPECT_THAT(fixtures::findings_text(sliced_json(run)),
              HasSubstr("Least server CPU per request: **epoll_level**"));
}

TEST(VerdictTables, OfSlicesSayWhatCompareSays) {
  const report::Report report =
      sliced_report({.models = {{"a", {}}, {"b", {.cpu_ns = 9900}}, {"c", {.cpu_ns = 9910}}}});
  const auto measured = measured_report(report);
  bool seen = false;
  for (const report::VerdictTable& table : report.conclusions->verdicts) {
    const auto result = compare_models(*measured, "a", "b", {.metrics = {table.metric}});
    EXPECT_EQ(table.matrix[0][1], letter_of(result->cells[0].verdict)) << table.metric;
    if (table.metric != kCpu) continue;
    seen = true;
    EXPECT_THAT(table.matrix, testing::ElementsAre(".ss", "f.=", "f=."));
  }
  EXPECT_TRUE(seen);
}

TEST(HostStates, AreNamedAndComparedByLevel) {
  const SlicedRun run{.models = {{"epoll_level", {}},
                                 {"poll", {}},
                                 {"uring", {.cpu_ns = 8100, .slow_factor = 1.2}}},
                      .slow_from = 11,
                      .noise = 0.01};
  const report::Report report = sliced_report(run);
  ASSERT_EQ(report.conclusions->host_states.size(), 1U);
  const report::HostStates& states = report.conclusions->host_states[0];
  EXPECT_EQ(states.reference, "epoll_level");
  EXPECT_EQ(states.blocks, 72U);
  ASSERT_EQ(states.levels.size(), 2U);
  EXPECT_NEAR(states.levels[0].cpu_ns_per_request, 9000, 300);
  EXPECT_NEAR(states.levels[1].cpu_ns_per_request, 13500, 400);
  EXPECT_EQ(states.levels[0].blocks, 33U);
  EXPECT_EQ(states.levels[1].blocks, 39U);
  ASSERT_EQ(states.relative.size(), 4U);
  EXPECT_EQ(states.relative[2].model, "uring");
  EXPECT_NEAR(states.relative[2].relative.ratio, 0.9, 0.02);
  EXPECT_NEAR(states.relative[3].relative.ratio, 0.72, 0.02);
  const std::string text = fixtures::findings_text(to_json(report));
  EXPECT_THAT(text, HasSubstr("at connections 8 a request of epoll_level took "));
  EXPECT_THAT(text, HasSubstr(" in 33 of 72 blocks, "));
  EXPECT_THAT(text, HasSubstr("depends on the speed of the host: uring at connections 8 (-"));
  EXPECT_THAT(text, Not(HasSubstr("host: poll")));
}

TEST(HostStates, OfASteadyHostAreOne) {
  const report::Report report = sliced_report({.noise = 0.04});
  ASSERT_EQ(report.conclusions->host_states.size(), 1U);
  EXPECT_EQ(report.conclusions->host_states[0].levels.size(), 1U);
  EXPECT_THAT(report.conclusions->host_states[0].relative, IsEmpty());
  EXPECT_THAT(fixtures::findings_text(to_json(report)), Not(HasSubstr("changed its speed")));
}

SliceLogs costs(const std::vector<double>& values) {
  SliceLogs logs;
  for (std::size_t i = 0; i < values.size(); ++i) logs.push_back({{0, i}, std::log(values[i])});
  return logs;
}

TEST(HostStates, ASingleSlowBlockIsNoLevel) {
  EXPECT_EQ(host_speeds(costs({6, 6, 6, 6, 14, 6, 6, 6})).size(), 1U);
  EXPECT_EQ(host_speeds(costs({6})).size(), 1U);
  const auto speeds = host_speeds(costs({6, 6, 6, 6, 9, 9, 9, 9, 9, 14, 14, 14, 14}));
  ASSERT_EQ(speeds.size(), 3U);
  EXPECT_EQ(speeds[0].slices.size(), 4U);
  EXPECT_EQ(speeds[2].slices.back().block, 12U);
}

}  // namespace
}  // namespace muxbench
