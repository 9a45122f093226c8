// Slices as the load generator tells them, and what they add up to.
#include "trial/slice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

Json line() {
  return Json::parse(R"({"slice": {"status": "ok", "requests": 90, "elapsed_ns": 5000100,
    "requests_per_second": 18000.5, "requests_in_run": 120, "failed_requests": 0, "errors": 0,
    "cpu_ns": 3000000, "drain_ns": 40000,
    "latency_ns": {"count": 90, "sum": 900, "min": 5, "max": 40, "buckets": [[5, 50], [10, 39], [40, 1]]}}})");
}

TEST(ReadSlice, HasAllThatTheLineTells) {
  const auto slice = read_slice(line());
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->requests, 90);
  EXPECT_EQ(slice->elapsed_ns, 5000100);
  EXPECT_EQ(slice->requests_per_second, 18000.5);
  EXPECT_EQ(slice->requests_in_run, 120);
  EXPECT_THAT(slice->latency.buckets,
              ElementsAre(Pair(Nanoseconds(5), 50U), Pair(Nanoseconds(10), 39U),
                          Pair(Nanoseconds(40), 1U)));
  EXPECT_EQ(slice->latency.sum, 900U);
  EXPECT_EQ(slice->latency.max, Nanoseconds(40));
}

TEST(ReadSlice, IsNothingOfWhatIsNoAnswer) {
  for (const char* text : {"null", "[]", "7", R"({"phase": "drained"})", R"({"slice": {}})",
                           R"({"slice": 7})", R"({"slice": {"latency_ns": {"buckets": [[1]]}}})",
                           R"({"slice": {"latency_ns": {"buckets": [["a", "b"]]}}})",
                           R"({"slice": {"latency_ns": {"buckets": 7}}})"}) {
    EXPECT_FALSE(read_slice(Json::parse(text))) << text;
  }
}

TEST(IsOk, OnlyWhereTheLineSaysSo) {
  Json json = line();
  EXPECT_TRUE(is_ok(json));
  for (const char* status : {"failed", "interrupted"}) {
    json["slice"]["status"] = status;
    EXPECT_FALSE(is_ok(json)) << status;
  }
  EXPECT_FALSE(is_ok({{"phase", "drained"}}));
}

// Answers that took 1, 2, 3 ... ns.
Slice answered(std::uint64_t count) {
  Slice slice{.requests = static_cast<double>(count),
              .elapsed_ns = 5e6,
              .requests_per_second = static_cast<double>(count) * 200,
              .requests_in_run = static_cast<double>(count) + 10};
  for (std::uint64_t ns = 1; ns <= count; ++ns) {
    slice.latency.buckets.emplace_back(Nanoseconds(ns), 1);
    slice.latency.sum += ns;
  }
  slice.latency.min = Nanoseconds(1);
  slice.latency.max = Nanoseconds(count);
  return slice;
}

TEST(LatencyOf, HasPercentilesOfEnoughRequests) {
  const SliceLatency none = latency_of(Slice{});
  EXPECT_FALSE(none.mean_ns || none.p50_ns || none.p99_ns);
  const SliceLatency nine = latency_of(answered(9));
  EXPECT_EQ(nine.mean_ns, 5);
  EXPECT_FALSE(nine.p50_ns || nine.p99_ns);
  const SliceLatency ten = latency_of(answered(10));
  EXPECT_EQ(ten.p50_ns, 5);
  EXPECT_FALSE(latency_of(answered(99)).p99_ns);
  const SliceLatency hundred = latency_of(answered(100));
  EXPECT_EQ(hundred.mean_ns, 50.5);
  EXPECT_EQ(hundred.p50_ns, 50);
  EXPECT_EQ(hundred.p99_ns, 99);
}

LoadResult session() { return fixtures::trial(0, 0, 1000).load; }

TEST(ResultOfSlices, IsThatOfTheUndisturbedOnes) {
  std::vector<Slice> slices{answered(100), answered(300), answered(50)};
  slices[2].disturbed = true;
  EXPECT_EQ(undisturbed(slices), 2U);
  const LoadResult result = result_of_slices(session(), slices);
  EXPECT_EQ(result.requests, 400);
  EXPECT_EQ(result.window_ns, 10e6);
  EXPECT_DOUBLE_EQ(*result.requests_per_second, 40'000);
  EXPECT_EQ(result.requests_in_run, 480) << "of all";
  EXPECT_EQ(number_at(result.document, "/latency_ns/count"), 400);
  EXPECT_EQ(number_at(result.document, "/latency_ns/max"), 300);
  EXPECT_EQ(number_at(result.document, "/latency_of_all_ns/p99"), 1e6) << "the session's";
  EXPECT_EQ(result.connections, 8);
}

TEST(ResultOfSlices, CountsTheTimeOfEachForItsRate) {
  // Two threads: each rate is a sum over them, and each time their mean.
  std::vector<Slice> slices{answered(100), answered(100)};
  slices[0].requests_per_second = 30'000;
  slices[1].requests_per_second = 60'000;
  slices[1].elapsed_ns = 2 * slices[0].elapsed_ns;
  EXPECT_DOUBLE_EQ(*result_of_slices(session(), slices).requests_per_second, 50'000);
}

TEST(ResultOfSlices, HasNoThroughputWhereAllWereDisturbed) {
  std::vector<Slice> slices{answered(100)};
  slices[0].disturbed = true;
  for (const auto& all : {slices, std::vector<Slice>{}}) {
    const LoadResult result = result_of_slices(session(), all);
    EXPECT_FALSE(result.requests_per_second);
    EXPECT_FALSE(result.latency_mean_ns);
    EXPECT_EQ(result.requests, 0);
    EXPECT_EQ(result.requests_in_run, all.empty() ? 0 : 110);
  }
}

}  // namespace
}  // namespace muxbench
