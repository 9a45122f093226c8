#include "result/result_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "metrics/percentiles.h"
#include "result/summary.h"

namespace muxbench::loadgen {
namespace {

using nlohmann::json;
using std::chrono::microseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Options some_options() {
  Options options;
  options.target_text = "127.0.0.1:80";
  return options;
}

RunResult good_result(std::uint64_t requests) {
  RunResult result;
  result.duration = seconds(2);
  result.connections = 64;
  result.requests = result.requests_in_window = requests;
  for (std::uint64_t i = 0; i < requests; ++i) {
    result.latency.record(microseconds(300 + static_cast<long>(i % 100)));
  }
  result.requests_per_connection = {static_cast<std::uint32_t>(requests), 0};
  result.threads = {{.cpu = 1,
                     .cpu_time = {.user = seconds(1), .system = microseconds(500'000)},
                     .wall = seconds(2)}};
  return result;
}

json parsed(const RunResult& result, bool compact = true) {
  return json::parse(to_json(some_options(), result, compact));
}

std::vector<std::string> percentiles_of(std::uint64_t samples) {
  std::vector<std::string> names;
  for (const Percentile& percentile : supported_percentiles(samples)) {
    names.emplace_back(percentile.name);
  }
  return names;
}

TEST(Percentiles, AreOnlyAsDeepAsTenSamplesBeyond) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(percentiles_of(0), Names{});
  EXPECT_EQ(percentiles_of(19), Names{});
  EXPECT_EQ(percentiles_of(20), (Names{"p50"}));
  EXPECT_EQ(percentiles_of(99), (Names{"p50"}));
  EXPECT_EQ(percentiles_of(100), (Names{"p50", "p90"}));
  EXPECT_EQ(percentiles_of(999), (Names{"p50", "p90"}));
  EXPECT_EQ(percentiles_of(1'000), (Names{"p50", "p90", "p99"}));
  EXPECT_EQ(percentiles_of(10'000), (Names{"p50", "p90", "p99", "p99_9"}));
  EXPECT_EQ(percentiles_of(99'999), (Names{"p50", "p90", "p99", "p99_9"}));
  EXPECT_EQ(percentiles_of(100'000), (Names{"p50", "p90", "p99", "p99_9", "p99_99"}));
}

TEST(Result, AGoodRunIsOk) {
  const json result = parsed(good_result(1'000));
  EXPECT_EQ(result["status"], "ok");
  EXPECT_EQ(result["achieved"]["requests_per_second"], 500.0);
  EXPECT_EQ(result["achieved"]["duration_ns"], 2'000'000'000);
  EXPECT_EQ(result["latency_ns"]["count"], 1'000);
  EXPECT_TRUE(result["latency_ns"].contains("p99"));
  EXPECT_FALSE(result["latency_ns"].contains("p99_9"));
  EXPECT_EQ(result["errors"]["total"], 0);
  EXPECT_TRUE(result["errors"]["by_kind"].is_object());
  EXPECT_EQ(result["fairness"]["jain"], 0.5) << "one of two was served";
  EXPECT_EQ(result["cpu"]["threads"][0]["utilisation"], 0.75);
  EXPECT_EQ(good_result(1'000).exit_status(), 0);
}

TEST(Result, BucketsAscendAndAddUp) {
  const json latency = parsed(good_result(1'000))["latency_ns"];
  std::uint64_t sum = 0;
  std::int64_t last = -1;
  for (const json& bucket : latency["histogram"]["buckets"]) {
    EXPECT_GT(bucket[0].get<std::int64_t>(), last);
    last = bucket[0].get<std::int64_t>();
    sum += bucket[1].get<std::uint64_t>();
  }
  EXPECT_EQ(sum, 1'000U);
}

TEST(Result, NothingSucceededIsAFailureWithoutInventedNumbers) {
  const RunResult nothing;
  EXPECT_EQ(nothing.exit_status(), 1);
  const std::string text = to_json(some_options(), nothing, true);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("null"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos) << "compact is one line";
  const json result = json::parse(text);
  EXPECT_EQ(result["status"], "failed");
  EXPECT_EQ(result["achieved"]["requests_per_second"], 0.0);
  EXPECT_EQ(result["latency_ns"]["count"], 0);
  EXPECT_FALSE(result["latency_ns"].contains("min"));
  EXPECT_FALSE(result.contains("fairness"));
}

TEST(Result, AnyErrorIsAFailure) {
  RunResult result = good_result(100);
  result.errors.add(ErrorKind::corrupt, "connection 1: \xff");
  EXPECT_EQ(result.exit_status(), 1);
  const json parsed_result = parsed(result);
  EXPECT_EQ(parsed_result["status"], "failed");
  EXPECT_EQ(parsed_result["errors"]["by_kind"]["corrupt"]["count"], 1);
}

TEST(Result, AFailedRequestIsAFailure) {
  RunResult result = good_result(100);
  result.failed_requests = 1;
  EXPECT_EQ(result.exit_status(), 1);
  EXPECT_EQ(parsed(result)["status"], "failed");
  EXPECT_THAT(why_failed(result), HasSubstr("1 request failed"));
}

TEST(Result, HttpRunsCountReconnects) {
  RunResult result = good_result(100);
  result.reconnects = 7;
  Options options = some_options();
  EXPECT_FALSE(json::parse(to_json(options, result, true)).contains("reconnects"));
  options.protocol = ProtocolKind::http;
  EXPECT_EQ(json::parse(to_json(options, result, true))["reconnects"], 7);
  EXPECT_THAT(summary(options, result), HasSubstr("reconnects  7, each after"));
}

TEST(Result, ARunThatWasGivenUpIsOverloadedUnlessSomethingWasWrongToo) {
  RunResult result = good_result(100);
  result.stop_reason = "the schedule fell behind";
  EXPECT_EQ(result.exit_status(), 1);
  EXPECT_EQ(parsed(result)["status"], "overloaded");
  result.errors.add(ErrorKind::timeout, "connection 1");
  EXPECT_EQ(parsed(result)["status"], "failed");
}

TEST(Result, AnInterruptedRunSaysSo) {
  RunResult result = good_result(100);
  result.interrupted = true;
  EXPECT_EQ(result.exit_status(), 130);
  EXPECT_EQ(parsed(result)["status"], "interrupted");
}

TEST(Result, AskedNamesWhatLimitsTheRun) {
  Options options = some_options();
  EXPECT_TRUE(json::parse(to_json(options, {}, true))["asked"].contains("duration_ns"));
  options.requests = 5;
  options.protocol = ProtocolKind::http;
  options.paths = {"/"};
  const json asked = json::parse(to_json(options, {}, false))["asked"];
  EXPECT_EQ(asked["requests"], 5);
  EXPECT_FALSE(asked.contains("duration_ns"));
  EXPECT_EQ(asked["body_reference"], "first response");
}

TEST(Fairness, IsOneWhenAllAreServedAlike) {
  EXPECT_DOUBLE_EQ(fairness_of({7, 7, 7})->jain, 1.0);
  EXPECT_DOUBLE_EQ(fairness_of({9, 0, 0})->jain, 1.0 / 3);
  EXPECT_FALSE(fairness_of({0, 0}).has_value());
  EXPECT_FALSE(fairness_of({}).has_value());
}

TEST(Summary, SaysWhatAPersonWantsToKnow) {
  RunResult result = good_result(123'456);
  result.connections = 60;
  result.errors.add(ErrorKind::refused, "connection 3: nobody listens");
  const std::string text = summary(some_options(), result);
  EXPECT_THAT(text, HasSubstr("123,456 in 2 s, 61,728 per second"));
  EXPECT_THAT(text, HasSubstr("only 60 of 64 connections"));
  EXPECT_THAT(text, HasSubstr("1 refused, first: connection 3: nobody listens"));
  EXPECT_THAT(text, HasSubstr("p99.99"));
}

TEST(SliceJson, HasItsCountsAndItsHistogram) {
  SliceResult slice;
  slice.requests = 2;
  slice.elapsed = seconds(2);
  slice.requests_per_second = 1;
  slice.requests_in_run = 5;
  slice.cpu = microseconds(7);
  slice.drain = microseconds(9);
  slice.latency.record(microseconds(1));
  slice.latency.record(microseconds(2));
  EXPECT_EQ(json::parse(to_json(slice)), json::parse(R"({"slice": {
    "status": "ok", "requests": 2, "elapsed_ns": 2000000000, "requests_per_second": 1.0,
    "requests_in_run": 5, "failed_requests": 0, "errors": 0, "cpu_ns": 7000, "drain_ns": 9000,
    "latency_ns": {"count": 2, "sum": 3000, "min": 1000, "max": 2000,
                   "buckets": [[1000, 1], [2000, 1]]}}})"));
  slice.schedule_lag.record(microseconds(1));
  EXPECT_EQ(json::parse(to_json(slice))["slice"]["schedule_lag_ns"], 1000);
}

TEST(SliceStatus, IsOkOnlyWithAnAnswerAndWithoutErrors) {
  SliceResult slice;
  EXPECT_EQ(slice.status(), "failed") << "nothing was answered";
  slice.requests_in_run = 1;
  EXPECT_EQ(slice.status(), "ok") << "a slow server may answer after the window";
  slice.errors = 1;
  EXPECT_EQ(slice.status(), "failed");
  slice.errors = 0;
  slice.overloaded = true;
  EXPECT_EQ(slice.status(), "failed");
  slice.interrupted = true;
  EXPECT_EQ(slice.status(), "interrupted");
}

}  // namespace

}  // namespace muxbench::loadgen
