
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

Json report_of(const RunRecord& record) { return fixtures::report_json(record); }

TEST(Report, HasTheEnvelopeOfGoogleBenchmark) {
  const Json report = report_of(fixtures::record({100e3, 101e3, 102e3}, {}));
  EXPECT_TRUE(report.at("context").contains("num_cpus"));
  const Json& benchmarks = report.at("benchmarks");
  ASSERT_EQ(benchmarks.size(), 3U + 4U);  // b has no trial and so no entry
  EXPECT_EQ(benchmarks[0].at("name"), "a/load/connections:8/real_time");
  EXPECT_EQ(benchmarks[0].at("run_type"), "iteration");
  EXPECT_EQ(benchmarks[0].at("time_unit"), "ns");
  EXPECT_DOUBLE_EQ(benchmarks[0].at("real_time").get<double>(), 80000);
  EXPECT_DOUBLE_EQ(benchmarks[0].at("cpu_time").get<double>(), 9000);
  EXPECT_DOUBLE_EQ(benchmarks[0].at("items_per_second").get<double>(), 100e3);
  EXPECT_EQ(benchmarks[4].at("name"), "a/load/connections:8/real_time_median");
  EXPECT_EQ(benchmarks[4].at("aggregate_name"), "median");
  EXPECT_DOUBLE_EQ(benchmarks[4].at("items_per_second").get<double>(), 101e3);
}

// compare.py ends with a KeyError at an entry that lacks one of the two times.
TEST(Report, HasBothTimesInEveryEntryOfTheEnvelope) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {90e3});
  record.trials[1].cpu.reset();
  record.trials[3].cpu.reset();
  const Json report = report_of(record);
  ASSERT_EQ(report.at("benchmarks").size(), 2U + 4U);  // b has no CPU time at all
  for (const Json& entry : report.at("benchmarks")) {
    EXPECT_TRUE(entry.contains("real_time") && entry.contains("cpu_time")) << entry.dump();
  }
  EXPECT_EQ(report.at("muxbench").at("trials").size(), 4U);
}

TEST(Report, KeepsEveryTrialWithItsRawResult) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {90e3});
  record.trials.push_back({.cell = 1, .repetition = 1, .error = "broken"});
  record.trials[1].not_accepted = 3;
  const Json report = report_of(record);
  const Json& trials = report.at("muxbench").at("trials");
  ASSERT_EQ(trials.size(), 5U);
  EXPECT_FALSE(trials[0].contains("not_accepted"));
  EXPECT_EQ(trials[1].at("not_accepted"), 3);
  EXPECT_EQ(trials[0].at("load"), record.trials[0].load.document);
  EXPECT_EQ(trials[4].at("status"), "failed");
  EXPECT_EQ(trials[4].at("error"), "broken");
  EXPECT_FALSE(trials[4].contains("load"));
  EXPECT_TRUE(trials[4].at("server").is_object());
}

TEST(Report, KeepsHistogramsAtTwoDigitsAndLosesNoCount) {
  auto record = fixtures::record({100e3}, {});
  fixtures::edit(record.trials[0])["latency_ns"]["histogram"] = Json::parse(
      R"({"significant_digits": 3, "buckets": [[5, 1], [255, 2], [334336, 17], [334592, 4], [340000, 1]]})");
  fixtures::edit(record.trials[0])["odd_ns"] = {{"histogram", {{"buckets", 7}}}};
  const Json report = report_of(record);
  const Json& load = report.at("muxbench").at("trials")[0].at("load");
  EXPECT_EQ(
      load.at("latency_ns").at("histogram"),
      Json::parse(
          R"({"significant_digits": 2, "buckets": [[5, 1], [255, 2], [333824, 21], [339968, 1]]})"));
  EXPECT_EQ(load.at("odd_ns"), record.trials[0].load.document.at("odd_ns"));
}

TEST(Report, CellsSayStatusAndReason) {
  auto record = fixtures::record({100e3}, {});
  record.cells[1].skipped = "no such kernel";
  const Json report = report_of(record);
  const Json& cells = report.at("muxbench").at("cells");
  EXPECT_EQ(cells[0].at("status"), "measured");
  EXPECT_EQ(cells[0].at("point"), Json::parse(R"({"connections": 8})"));
  EXPECT_EQ(cells[0].at("summary").at("requests_per_second").at("n"), 1);
  EXPECT_EQ(cells[1].at("status"), "skipped");
  EXPECT_EQ(cells[1].at("reason"), "no such kernel");
}

TEST(Report, IsMarkedWhenInterrupted) {
  auto record = fixtures::record({100e3}, {});
  record.interrupted = true;
  EXPECT_EQ(report_of(record).at("muxbench").at("status"), "interrupted");
}

TEST(Report, TextIsTheSameJsonAndSurvivesForeignBytes) {
  auto record = fixtures::record({100e3}, {});
  Json report = report_of(record);
  EXPECT_EQ(Json::parse(to_text(report)), report);
  record.trials.push_back({.cell = 1, .error = "printed \xff\xfe"});
  const std::string text = to_text(report_of(record));
  EXPECT_TRUE(Json::accept(text));
  EXPECT_THAT(text, Not(HasSubstr("NaN")));
}

TEST(Report, HoldsOneTrialPerLine) {
  const std::string text = to_text(report_of(fixtures::record({100e3, 101e3}, {})));
  EXPECT_THAT(text, HasSubstr("\n{\"cell\":\"a/load/connections:8\",\"repetition\":1"));
}

}  // namespace
}  // namespace muxbench
