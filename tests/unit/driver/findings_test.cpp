#include "analysis/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/format.h"
#include "export/summary_markdown.h"
#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

report::Report report_of(const RunRecord& record) {
  report::Report report = make_report(record);
  report.conclusions = conclude(report);
  return report;
}

std::string findings_of(const RunRecord& record) {
  std::string text;
  const report::Report report = report_of(record);
  for (const report::Finding& finding : report.conclusions->findings) {
    text += finding.kind + ": " + finding.text + "\n";
  }
  return text;
}

// Models over a sweep of idle connections, 5 trials each; CPU per request is 9 us at 100 k/s.
struct IdleRun {
  RunRecord record = fixtures::record({}, {});
  std::mt19937_64 dice{3};

  explicit IdleRun(const std::vector<std::string>& names,
                   std::vector<SweepValue> values = {0, 100, 1000, 8000}) {
    record.models.clear();
    for (const std::string& name : names) record.models.push_back(fixtures::model(name));
    record.experiments = {fixtures::experiment("idle", {{"idle", std::move(values)}})};
    record.cells = make_cells(record.models, record.experiments, {.descriptors = 100'000});
  }
  // `rate` takes the name of a model and the number of idle connections.
  template <typename Rate>
  RunRecord measure(Rate rate, double cv = 0.01) {
    std::normal_distribution<double> noise(1.0, cv);
    for (std::size_t i = 0; i < record.cells.size(); ++i) {
      const Cell& cell = record.cells[i];
      for (unsigned r = 0; r < 5; ++r) {
        const double idle = static_cast<double>(cell.settings.idle);
        record.trials.push_back(fixtures::trial(
            i, r, rate(record.models[cell.model].name, idle) * noise(dice), 1e6 * noise(dice)));
        fixtures::edit(record.trials.back())["achieved"]["idle"] = cell.settings.idle;
      }
    }
    return record;
  }
};

TEST(Findings, NameTheBestWhereItIsBeyondDoubt) {
  const auto text = findings_of(fixtures::record({100e3, 101e3, 102e3}, {90e3, 91e3, 92e3}));
  EXPECT_THAT(text, HasSubstr("best: Highest throughput: **a** at connections 8 (101.0 k/s; next b "
                              "with 91.0 k/s)."));
  EXPECT_THAT(text, HasSubstr("best: Least server CPU per request: **a** at connections 8 (8.9 us; "
                              "next b with 9.9 us)."));
  EXPECT_THAT(text, HasSubstr("tie: Lowest p99: a tie of a, b at connections 8"));
}

TEST(Findings, CallOverlapsATie) {
  const auto text = findings_of(fixtures::record({100e3, 101e3, 110e3}, {99e3, 100e3, 100e3}));
  EXPECT_THAT(text, HasSubstr("tie: Highest throughput: a tie of a, b at connections 8 (about "
                              "101.0 k/s)"));
  EXPECT_THAT(text, Not(HasSubstr("**")));
}

TEST(Findings, CallTrialsApartByChanceATie) {
  const auto text = findings_of(fixtures::record({100e3, 107e3, 115e3}, {90e3, 94e3, 99e3}));
  EXPECT_THAT(text, HasSubstr("tie: Highest throughput: a tie of a, b"));
}

TEST(Findings, NameNoBestOfTwoTrials) {
  const auto text = findings_of(fixtures::record({100e3, 101e3}, {90e3, 91e3}));
  EXPECT_THAT(text, HasSubstr("undecided: No best is named: that takes two models"));
}

TEST(Findings, NameWhatWasMeasuredTooSeldomToBeRanked) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {90e3, 91e3, 92e3});
  record.models.push_back(fixtures::model("c"));
  record.cells = make_cells(record.models, record.experiments, {.descriptors = 1000});
  record.trials.push_back(fixtures::trial(2, 0, 120e3));
  record.trials.push_back(fixtures::trial(2, 1, 121e3));
  const auto text = findings_of(record);
  EXPECT_THAT(text, HasSubstr("best: Highest throughput: **a** at connections 8"));
  EXPECT_THAT(text,
              HasSubstr("absent: Measured too seldom, so not ranked: c (fewer than 3 trials)."));
  EXPECT_THAT(findings_of(fixtures::record({100e3, 101e3}, {90e3, 91e3})),
              Not(HasSubstr("too seldom")));
}

TEST(Findings, NeverRankAFlaggedCell) {
  auto record = fixtures::record({200e3, 201e3, 202e3}, {90e3, 91e3, 92e3});
  fixtures::edit(record.trials[0])["achieved"]["connections"] = 7;
  const auto text = findings_of(record);
  EXPECT_THAT(text, HasSubstr("undecided: No best is named: that takes two models"));
  EXPECT_THAT(text, HasSubstr("flagged: Flagged as fewer_connections, so not ranked: a (8 active "
                              "and 0 idle connections were asked for, 7 and 0 held"));
}

// Models that do not differ: whatever the noise, hardly a sentence may set one before another.
TEST(Findings, FindNothingInNoise) {
  int claims = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    IdleRun run({"epoll_level", "poll", "select", "a", "b", "c"});
    run.dice.seed(seed);
    const auto record = run.measure([](const std::string&, double) { return 100e3; }, 0.03);
    const Json report = to_json(report_of(record));
    for (const Json& finding : report.at("muxbench").at("findings")) {
      const auto text = finding.at("text").get<std::string>();
      const bool ranks = finding.at("kind") == "best" || text.find("ahead of") != text.npos;
      const bool loses = text.find(" times at ") != text.npos;
      const bool pays = finding.at("kind") == "slope" && text.find(" to ") != text.npos;
      claims += (ranks ? 1 : 0) + (loses ? 1 : 0) + (pays ? 1 : 0);
    }
  }
  // 60 runs of some 7 sentences: best, crossover and slope promise less than 5 % each.
  EXPECT_LE(claims, 18);
}

TEST(Findings, TellFromWhereOnPollLosesToEpoll) {
  IdleRun run({"epoll_level", "poll", "libev"});
  const RunRecord measured = run.measure([](const std::string& name, double idle) {
    return name == "poll" ? 1e9 / (10e3 + idle) : 100e3;
  });
  const Json report = to_json(report_of(measured));
  const Json& section = report.at("muxbench");
  std::string text;
  for (const Json& finding : section.at("findings")) {
    if (finding.at("kind") == "crossover") text += finding.at("text").get<std::string>() + "\n";
  }
  EXPECT_THAT(text, HasSubstr("Lower throughput than epoll_level: poll from idle 1000 to 8000 ("));
  EXPECT_THAT(text, HasSubstr("More server CPU per request than epoll_level: poll from idle 1000"));
  EXPECT_THAT(text, Not(HasSubstr("libev")));
  ASSERT_EQ(section.at("crossovers").size(), 2U);
  EXPECT_EQ(section.at("crossovers")[0].at("model"), "poll");
  EXPECT_EQ(section.at("crossovers")[0].at("value"), 1000);
}

TEST(Findings, SayWhereNoLossOfPollIsShown) {
  IdleRun run({"epoll_level", "poll"}, {0, 100});
  const auto text =
      findings_of(run.measure([](const std::string&, double) { return 100e3; }, 0.01));
  EXPECT_THAT(text, HasSubstr("crossover: Lower throughput than epoll_level: not shown for poll, "
                              "compared at idle 0, 100."));
}

TEST(Findings, TellWhatAnIdleConnectionCosts) {
  IdleRun run({"epoll_level", "poll"});
  const RunRecord measured = run.measure([](const std::string& name, double idle) {
    return name == "poll" ? 9e8 / (9e3 + 4.5 * idle) : 100e3;
  });
  const Json report = to_json(report_of(measured));
  const Json& section = report.at("muxbench");
  ASSERT_GE(section.at("fits").size(), 2U);
  const Json& fit = section.at("fits")[0];
  EXPECT_EQ(fit.at("model"), "poll");
  EXPECT_EQ(fit.at("metric"), "server_cpu_ns_per_request");
  EXPECT_LT(fit.at("low").get<double>(), 4.5);
  EXPECT_GT(fit.at("high").get<double>(), 4.5);
  bool told = false;
  for (const Json& finding : section.at("findings")) {
    const auto text = finding.at("text").get<std::string>();
    told = told || (text.find("for each idle connection: poll 4.5 ns (") != text.npos &&
                    text.find("none that shows for epoll_level (at most") != text.npos);
  }
  EXPECT_TRUE(told) << section.at("findings").dump(1);
}

TEST(Findings, AnswerTheExperimentFirst) {
  IdleRun run({"epoll_level", "poll"});
  run.record.experiments[0].metric = "latency_p99_ns";
  auto record = run.measure([](const std::string&, double) { return 100e3; });
  for (TrialResult& trial : record.trials) {
    Json& p99 = fixtures::edit(trial)["latency_ns"]["p99"];
    if (record.models[record.cells[trial.cell].model].name == "poll") p99 = 3 * p99.get<double>();
  }
  const std::string text = findings_of(record);
  EXPECT_THAT(text, testing::StartsWith("best: Lowest p99: **epoll_level** at idle 0"));
  EXPECT_THAT(text, HasSubstr("crossover: Higher p99 than epoll_level: poll at every idle (3 times "
                              "at 8000)."));
  EXPECT_THAT(text, Not(HasSubstr("Lower throughput than epoll_level")));
  EXPECT_THAT(text, Not(HasSubstr("Lowest mean")));
  record.experiments[0].metric = "latency_mean_ns";
  EXPECT_THAT(findings_of(record), testing::StartsWith("tie: Lowest mean latency: a tie of"));
}

TEST(Findings, CompareNoThroughputsOfAnOpenLoop) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {90e3, 91e3, 92e3});
  record.experiments[0].mode = "open";
  const auto text = findings_of(record);
  EXPECT_THAT(text, Not(HasSubstr("throughput")));
  EXPECT_THAT(text, HasSubstr("Least server CPU per request: **a**"));
}

TEST(Findings, ListSkippedAndFailedWithTheirReason) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {});
  record.trials.push_back({.cell = 1, .error = "the server was killed by SIGSEGV"});
  EXPECT_THAT(findings_of(record),
              HasSubstr("absent: Failed, so not ranked: b (the server was killed by SIGSEGV)."));
  record.trials.pop_back();
  record.cells[1].skipped = "no such kernel";
  EXPECT_THAT(findings_of(record),
              HasSubstr("absent: Skipped, so not ranked: b (no such kernel)."));
}

TEST(Findings, CountPointsOfWhichThereAreMany) {
  IdleRun run({"a", "b"}, {0, 100, 500, 1000, 8000});
  auto record = run.measure([](const std::string&, double) { return 100e3; });
  for (TrialResult& trial : record.trials) {
    const Cell& cell = record.cells[trial.cell];
    if (cell.model == 0 && cell.settings.idle != 8000) trial.stop_error = "it ignored SIGTERM";
    if (cell.model == 1 && cell.settings.idle >= 1000) trial.stop_error = "it ignored SIGTERM";
  }
  EXPECT_THAT(findings_of(record), HasSubstr("so not ranked: a at 4 of 5 points; b at idle 1000, "
                                             "8000 (for example, "));
}

TEST(Findings, ListSystemCallsFromFewToMany) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {90e3, 91e3, 92e3});
  Json report = fixtures::report_json(record);
  Json& cells = report["muxbench"]["cells"];
  cells[0]["counts"] = {
      {"source", "a test"},
      {"requests", 1000},
      {"syscalls", {{"recvfrom", {{"calls", 1000}}}, {"sendto", {{"calls", 1000}}}}},
      {"context_switches", {{"voluntary", 10}, {"involuntary", 0}}}};
  cells[1]["counts"] = {{"source", "a test"},
                        {"requests", 1000},
                        {"syscalls", {{"io_uring_enter", {{"calls", 50}}}}}};
  const std::string all = fixtures::findings_text(report);
  EXPECT_THAT(all, HasSubstr("System calls per request at connections 8: b 0.05, a 2.0."));
  EXPECT_THAT(all, HasSubstr("Context switches per request at connections 8: a 0.01."));
}

TEST(Findings, OfAReportThatIsNoneAreASentence) {
  Json broken = Json::parse(R"({"muxbench": {"schema_version": "1.1", "experiments": 7}})");
  const auto added = read_report(broken, "x.json");
  ASSERT_FALSE(added);
  EXPECT_THAT(
      added.error().message,
      HasSubstr(
          "x.json is not a muxbench report as documented: muxbench.experiments should be a list "
          "of one entry or more"));
  EXPECT_EQ(added.error().exit, Exit::usage);
}

TEST(Summary, OpensWithFindingsAndHasATableForEachExperiment) {
  const auto report = report_of(fixtures::record({100e3, 101e3, 102e3}, {90e3, 91e3, 92e3}));
  const std::string text = summary_markdown(report);
  EXPECT_LT(text.find("Highest throughput: **a**"), text.find("# Tables"));
  EXPECT_THAT(text, HasSubstr("| connections 8 | a     |  101.0 k/s |"));
  EXPECT_THAT(text, HasSubstr("profile quick, 6 of 6 planned trials, seed 1"));
}

TEST(Show, PicksUnits) {
  EXPECT_EQ(format_rate(12), "12 /s");
  EXPECT_EQ(format_rate(191234), "191.2 k/s");
  EXPECT_EQ(format_time(999), "999 ns");
  EXPECT_EQ(format_time(12345), "12.3 us");
  EXPECT_EQ(format_time(2.5e6), "2.50 ms");
  EXPECT_EQ(format_bytes(4096), "4 KiB");
  EXPECT_EQ(format_bytes(3 << 20), "3.0 MiB");
}

}  // namespace
}  // namespace muxbench
