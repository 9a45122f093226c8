#include "result/host_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench::loadgen {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

RunResult found(std::uint64_t requests) {
  RunResult result;
  result.duration = seconds(1);
  result.connections = 3;
  result.idle = 2;
  result.requests = result.requests_in_window = requests;
  result.requests_in_run = requests + 5;
  result.bytes_sent = 64 * requests;
  result.requests_per_connection = {1, 2, 3};
  result.threads = {
      {.cpu = 1, .cpu_time = {.user = seconds(1)}, .wall = seconds(2), .spun = milliseconds(3)}};
  result.peak_memory_bytes = 1000;
  result.series = Series(
      {{.requests = requests, .errors = 1, .latency_sum_ns = 7, .slowest = microseconds(9)}});
  return result;
}

TEST(HostResults, SurviveTheWayFromOneHostToAnother) {
  RunResult sent = found(100);
  sent.errors.add(ErrorKind::timeout, 4, "connection 1: late");
  sent.stop_reason = "too slow";
  sent.filling = milliseconds(2);
  const RunResult got = unpack(Json::parse(pack(sent).dump()));
  EXPECT_EQ(pack(got), pack(sent));
  EXPECT_EQ(got.errors.count(ErrorKind::timeout), 4U);
  EXPECT_EQ(got.errors.first(ErrorKind::timeout), "connection 1: late");
  EXPECT_THAT(got.series.samples(), SizeIs(1));
  EXPECT_EQ(got.series.samples()[0].slowest, microseconds(9));
  EXPECT_EQ(got.threads[0].spun, milliseconds(3));
}

TEST(HostResults, AddUp) {
  RunResult all;
  RunResult late = found(40);
  late.duration = seconds(2);
  late.errors.add(ErrorKind::reset, 2, "connection 9: gone");
  late.latency.record(microseconds(50));
  late.stop_reason = "too slow";
  merge(all, found(60), "a");
  merge(all, late, "b");
  EXPECT_EQ(all.requests, 100U);
  EXPECT_EQ(all.requests_in_run, 110U);
  EXPECT_EQ(all.connections, 6U);
  EXPECT_EQ(all.idle, 4U);
  EXPECT_EQ(all.duration, seconds(2));
  EXPECT_EQ(all.errors.first(ErrorKind::reset), "b: connection 9: gone");
  EXPECT_EQ(all.stop_reason, "b: too slow");
  EXPECT_EQ(all.latency.count(), 1U);
  EXPECT_THAT(all.requests_per_connection, SizeIs(6));
  EXPECT_THAT(all.threads, SizeIs(2));
  EXPECT_EQ(all.series.samples()[0].requests, 100U);
}

std::vector<HostFigures> alike() {
  std::vector<HostFigures> hosts;
  for (const char* name : {"a", "b", "c"}) {
    hosts.push_back({.name = name,
                     .weight = 10,
                     .requests = 1000,
                     .latency_mean_ns = 80e3,
                     .round_trip = microseconds(40)});
  }
  return hosts;
}

std::vector<std::string> kinds(const std::vector<HostFlag>& flags) {
  std::vector<std::string> kinds;
  for (const HostFlag& flag : flags) kinds.push_back(flag.kind);
  return kinds;
}

TEST(Hosts, NoneIsFlaggedWhereAllAreAlike) {
  EXPECT_THAT(judge_hosts(alike(), seconds(1)), IsEmpty());
  EXPECT_THAT(judge_hosts({alike()[0]}, seconds(1)), IsEmpty())
      << "one has none to be compared with";
}

TEST(Hosts, OneWithFewerRequestsOrMoreLatencyIsNamed) {
  auto hosts = alike();
  hosts[1].requests = 700;
  auto flags = judge_hosts(hosts, seconds(1));
  ASSERT_THAT(kinds(flags), ElementsAre("host_share"));
  EXPECT_THAT(flags[0].detail,
              HasSubstr("load host b: its share of requests, by what it was to send, is 0.70"));
  hosts = alike();
  hosts[2].latency_mean_ns = 200e3;
  flags = judge_hosts(hosts, seconds(1));
  ASSERT_THAT(kinds(flags), ElementsAre("host_latency"));
  EXPECT_THAT(flags[0].detail, HasSubstr("load host c: its mean latency is 2.50"));
  hosts = alike();
  hosts[0].requests = 0;
  EXPECT_THAT(kinds(judge_hosts(hosts, seconds(1))), ElementsAre("host_share"));
}

TEST(Hosts, AShareIsOfWhatAHostWasToSend) {
  auto hosts = alike();
  hosts[0].weight = 20;
  hosts[0].requests = 2000;
  EXPECT_THAT(judge_hosts(hosts, seconds(1)), IsEmpty());
  hosts[1] = {.name = "b"};  // it had no connection
  EXPECT_THAT(judge_hosts(hosts, seconds(1)), IsEmpty());
}

TEST(Hosts, OfTwoTheSlowOneIsNamed) {
  std::vector<HostFigures> hosts{alike()[0], alike()[1]};
  hosts[1].requests = 400;
  hosts[1].latency_mean_ns = 240e3;
  const auto flags = judge_hosts(hosts, seconds(1));
  ASSERT_THAT(kinds(flags), ElementsAre("host_share", "host_latency"));
  for (const HostFlag& flag : flags) EXPECT_THAT(flag.detail, HasSubstr("load host b"));
}

TEST(Hosts, WindowsApartByMoreThanOnePerCentAreFlagged) {
  auto hosts = alike();
  hosts[1].window_skew = milliseconds(9);
  EXPECT_THAT(judge_hosts(hosts, seconds(1)), IsEmpty());
  hosts[1].window_skew = milliseconds(10);
  EXPECT_THAT(kinds(judge_hosts(hosts, seconds(1))), ElementsAre("window_skew"));
  hosts[1].window_skew = {};
  hosts[1].round_trip = milliseconds(30);
  EXPECT_THAT(kinds(judge_hosts(hosts, seconds(1))), ElementsAre("window_skew"))
      << "it is not known";
}

TEST(Hosts, HistogramsOfAllBucketsAddUp) {
  Histogram one;
  Histogram other;
  Histogram both;
  for (int i = 1; i < 2000; ++i) {
    (i % 3 == 0 ? one : other).record(microseconds(i));
    both.record(microseconds(i));
  }
  const auto into = one.parts();
  const auto from = other.parts();
  for (std::size_t i = 0; i < into.buckets.size(); ++i) into.buckets[i] += from.buckets[i];
  into.sum += from.sum;
  into.min = std::min(into.min, from.min);
  into.max = std::max(into.max, from.max);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.sum(), both.sum());
  for (const double q : {0.0, 0.5, 0.99, 1.0}) EXPECT_EQ(one.quantile(q), both.quantile(q));
}

}  // namespace
}  // namespace muxbench::loadgen
