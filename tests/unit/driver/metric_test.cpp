#include "report/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "fixtures.h"

namespace muxbench {
namespace {

TEST(Metrics, HaveKeysOfTheirOwnAndEveryColumn) {
  std::set<std::string_view> keys;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(keys.insert(metric.key).second) << metric.key;
    EXPECT_EQ(find_metric(metric.key), &metric);
    for (const auto text : {metric.title, metric.best, metric.worse, metric.description}) {
      EXPECT_FALSE(text.empty()) << metric.key;
    }
    EXPECT_EQ(metric.description.back(), '.') << metric.key;
  }
  EXPECT_EQ(find_metric("of_a_newer_version"), nullptr);
}

TEST(Metrics, LieAtTheirPathsInATrialOfAReport) {
  auto record = fixtures::record({100e3}, {});
  TrialResult& trial = record.trials[0];
  trial.cpu->split = CpuTime{std::chrono::milliseconds(300), std::chrono::milliseconds(600)};
  trial.process_bytes_per_connection = 100;
  trial.kernel_bytes_per_connection = 200;
  trial.softirq = std::chrono::milliseconds(100);
  const Json json = fixtures::report_json(record);
  const auto values = metric_values(json.at("muxbench").at("trials").at(0));
  for (const Metric& metric : metrics()) EXPECT_TRUE(values.contains(metric.key)) << metric.key;
  EXPECT_DOUBLE_EQ(values.at("server_cpu_ns_per_request"), 9000);
  EXPECT_DOUBLE_EQ(values.at("server_user_ns_per_request"), 3000);
  EXPECT_DOUBLE_EQ(values.at("server_system_ns_per_request"), 6000);
  EXPECT_DOUBLE_EQ(values.at("softirq_ns_per_request"), 1000);
  EXPECT_EQ(json.at("muxbench").at("cells").at(0).at("summary").size(), metrics().size());
}

TEST(Metrics, AreInTheReport) {
  const Json table =
      fixtures::report_json(fixtures::record({100e3}, {})).at("muxbench").at("metrics");
  ASSERT_EQ(table.size(), metrics().size());
  EXPECT_EQ(table[0], Json::parse(R"({"key": "requests_per_second", "title": "throughput",
      "unit": "1/s", "better": "more", "path": "/load/achieved/requests_per_second",
      "compared": true})"));
}

TEST(Metrics, OfThroughputZeroCannotBeCompared) {
  const MetricValues values{
      {"requests_per_second", 0}, {"latency_mean_ns", 7}, {"process_bytes_per_connection", 9}};
  EXPECT_THAT(comparable_values(values), testing::ElementsAre(testing::Pair("latency_mean_ns", 7)));
}

}  // namespace
}  // namespace muxbench
