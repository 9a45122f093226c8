#include "run/validity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Flag> flags_of_a(const RunRecord& record) {
  return fixtures::cells_of(record)[0].flags;
}

RunRecord steady() { return fixtures::record({100e3, 101e3, 102e3}, {}); }

TEST(Flags, NoneOnAGoodCell) { EXPECT_THAT(flags_of_a(steady()), IsEmpty()); }

TEST(Flags, SomeTrialsFailed) {
  auto record = steady();
  record.trials[1].error = "the load generator saw errors: 1 corrupt";
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "errors");
  EXPECT_THAT(flags[0].detail, HasSubstr("1 of 3 trials failed: the load generator saw errors"));
}

TEST(Flags, WhatLoadHostsSaidOfEachOther) {
  auto record = steady();
  for (TrialResult& trial : record.trials) {
    trial.load.host_flags = {{"host_share", "load host b: its share is small"}};
  }
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "host_share");
  EXPECT_THAT(flags[0].detail, HasSubstr("load host b"));
  EXPECT_TRUE(forbids_ranking(flags[0], "latency_p99_ns"));
  EXPECT_FALSE(forbids_ranking(flags[0], "server_cpu_ns_per_request"));
}

TEST(Flags, FewerConnections) {
  auto record = steady();
  fixtures::edit(record.trials[2])["achieved"]["connections"] = 7;
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "fewer_connections");
}

TEST(Flags, FewerIdleConnections) {
  auto record = steady();
  record.cells[0].settings.idle = 100;
  for (TrialResult& trial : record.trials) fixtures::edit(trial)["achieved"]["idle"] = 100;
  EXPECT_THAT(flags_of_a(record), IsEmpty());
  fixtures::edit(record.trials[1])["achieved"]["idle"] = 99;
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "fewer_connections");
}

TEST(Flags, ConnectionsThatTheServerHadNotAcceptedWhenTheLoadBegan) {
  auto record = steady();
  record.trials[1].not_accepted = 3;
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "fewer_connections");
  EXPECT_THAT(flags[0].detail, HasSubstr("3 of "));
}

TEST(Flags, NoneForNoise) {
  EXPECT_THAT(flags_of_a(fixtures::record({50e3, 100e3, 200e3}, {})), IsEmpty());
}

TEST(Flags, SaturatedLoadOnlyWhileTheServerHasTimeLeft) {
  auto record = steady();
  for (TrialResult& trial : record.trials) {
    fixtures::edit(trial)["cpu"]["threads"][0]["utilisation"] = 0.99;
    trial.cpu->total = std::chrono::milliseconds(700);  // of a window of 1 s
  }
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "saturated_load");
  for (TrialResult& trial : record.trials) trial.cpu->total = std::chrono::milliseconds(980);
  EXPECT_THAT(flags_of_a(record), IsEmpty());
}

TEST(Flags, SaturatedLoadKnowsHowManyCpusAServerCanUse) {
  auto record = steady();
  record.cpus = {.server = {0, 1, 2, 3}, .load = {4}};
  for (TrialResult& trial : record.trials) {
    fixtures::edit(trial)["cpu"]["threads"][0]["utilisation"] = 0.99;
    trial.cpu->total = std::chrono::milliseconds(990);  // of 1 s: one CPU
  }
  Model& model = record.models[0];
  const auto flagged = [&](const std::string& family, bool has_workers, unsigned workers) {
    model.family = family;
    model.capabilities.workers = has_workers;
    record.cells[0].settings.workers = workers;
    return !flags_of_a(record).empty();
  };
  EXPECT_FALSE(flagged("readiness", false, 0)) << "one thread is busy";
  EXPECT_TRUE(flagged("readiness", true, 4)) << "three of its workers are not";
  EXPECT_FALSE(flagged("process", true, 1)) << "its one worker is busy";
  EXPECT_FALSE(flagged("readiness", true, 0)) << "it has one worker when none were asked for";
  model.capabilities.one_client_per_worker = true;
  EXPECT_TRUE(flagged("process", true, 0)) << "a pool for many clients";
  model.capabilities.one_client_per_worker = false;
  EXPECT_TRUE(flagged("thread", false, 0));
  model.description["features"]["sq_thread_cpu"] = 1;
  EXPECT_TRUE(flagged("completion", false, 0)) << "the kernel's thread is idle, or it is";
}

TEST(Flags, ClientsWhoNeverReadThatWereNotHeldUp) {
  auto record = steady();
  EXPECT_THAT(flags_of_a(record), IsEmpty()) << "there are none";
  record.cells[0].settings.stall_never_read = 8;
  for (TrialResult& trial : record.trials) fixtures::edit(trial)["stalled"]["filling_ns"] = 0;
  EXPECT_THAT(flags_of_a(record), IsEmpty());
  fixtures::edit(record.trials[1])["stalled"].erase("filling_ns");
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "still_filling");
  EXPECT_THAT(flags[0].detail, HasSubstr("in 1 of 3 trials"));
}

TEST(Flags, AnOpenLoopThatFallsBehind) {
  auto record = steady();
  record.cells[0].settings.rate = 105'000;
  EXPECT_THAT(flags_of_a(record), IsEmpty());  // 101,000 are more than 95 %
  record.cells[0].settings.rate = 110'000;
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "rate_not_reached");
  EXPECT_THAT(flags[0].detail, HasSubstr("110000 requests per second were due and 101000"));
}

TEST(Flags, LessInFlightThanAsked) {
  auto record = steady();
  for (TrialResult& trial : record.trials) fixtures::edit(trial)["latency_ns"]["mean"] = 50'000;
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "little_law");
  EXPECT_THAT(flags[0].detail, HasSubstr("5.1 requests were in flight"));
}

TEST(Flags, OtherWorkOnTheCpuOfEitherSide) {
  for (const auto& [kind, waited] : {std::pair("starved_load", &TrialResult::load_waited),
                                     std::pair("starved_server", &TrialResult::server_waited)}) {
    auto record = steady();
    for (TrialResult& trial : record.trials) trial.*waited = std::chrono::milliseconds(40);
    EXPECT_THAT(flags_of_a(record), IsEmpty());
    for (TrialResult& trial : record.trials) trial.*waited = std::chrono::milliseconds(80);
    const auto flags = flags_of_a(record);
    ASSERT_THAT(flags, SizeIs(1));
    EXPECT_EQ(flags[0].kind, kind);
    record.cpus.load = record.cpus.server;
    EXPECT_THAT(flags_of_a(record), IsEmpty());
  }
}

TEST(Flags, ALoadOfOneThreadIsStarvedHoweverManyCpusAreItsOwn) {
  auto record = steady();
  record.cpus = {.server = {0}, .load = {1, 2, 3, 4}};
  for (TrialResult& trial : record.trials) trial.load_waited = std::chrono::milliseconds(80);
  ASSERT_THAT(flags_of_a(record), SizeIs(1));
  Json threads = record.trials[0].load.document["cpu"]["threads"];
  for (int i = 0; i < 3; ++i) threads.push_back(Json(threads[0]));
  for (TrialResult& trial : record.trials) fixtures::edit(trial)["cpu"]["threads"] = threads;
  EXPECT_THAT(flags_of_a(record), IsEmpty()) << "80 ms of 4 s";
}

TEST(Flags, TrialsThatACpuQuotaStopped) {
  auto record = steady();
  record.trials[1].throttled_periods = 3;
  const auto flags = flags_of_a(record);
  ASSERT_THAT(flags, SizeIs(1));
  EXPECT_EQ(flags[0].kind, "throttled");
  EXPECT_THAT(flags[0].detail, HasSubstr("3 times in 1 of 3 trials"));
  EXPECT_TRUE(forbids_ranking(flags[0], "latency_p99_ns"));
  EXPECT_FALSE(forbids_ranking(flags[0], "server_cpu_ns_per_request"));
}

TEST(Flags, RoundsOfWhichACpuQuotaHitATenth) {
  auto record = steady();
  TrialResult& round = record.trials[1];
  round.slices.resize(40);
  round.slice_plan.blocks = 40;
  round.throttled_periods = 4;
  const auto throttled = [&] {
    const auto flags = flags_of_a(record);
    return std::any_of(flags.begin(), flags.end(),
                       [](const Flag& flag) { return flag.kind == "throttled"; });
  };
  EXPECT_FALSE(throttled()) << "those slices are left out as disturbed ones";
  round.throttled_periods = 5;
  EXPECT_TRUE(throttled());
}

TEST(Flags, UncleanStop) {
  auto record = steady();
  record.trials[0].stop_error = "the server ignored SIGTERM";
  EXPECT_EQ(flags_of_a(record).at(0).kind, "unclean_stop");
}

TEST(Summary, CountsOnlySuccessfulTrials) {
  auto record = steady();
  record.trials[1].error = "broken";
  const auto& rate = fixtures::cells_of(record)[0].summary.at("requests_per_second");
  EXPECT_EQ(rate.n, 2U);
  EXPECT_DOUBLE_EQ(rate.median, 101e3);
}

TEST(Summary, CellsWithoutTrials) {
  auto record = steady();
  record.interrupted = true;
  EXPECT_EQ(fixtures::cells_of(record)[1].status, "missing");
  record.given_up[1] = "not tried any more";
  EXPECT_EQ(fixtures::cells_of(record)[1].status, "failed");
  EXPECT_EQ(fixtures::cells_of(record)[1].reason, "not tried any more");
}

TEST(Summary, CpuTimeIsThatOfTheRequestsThatTheWindowAnswered) {
  auto record = steady();
  for (TrialResult& trial : record.trials)
    fixtures::edit(trial)["requests"] = 1'000'000;  // of an open loop
  EXPECT_NEAR(fixtures::cells_of(record)[0].summary.at("server_cpu_ns_per_request").max,
              0.9e9 / 100e3, 1);
}

TEST(Summary, UnknownFieldsAreAbsent) {
  auto record = steady();
  for (TrialResult& trial : record.trials) {
    trial.cpu.reset();
    fixtures::edit(trial)["latency_ns"].erase("p99");
  }
  EXPECT_FALSE(fixtures::cells_of(record)[0].summary.contains("server_cpu_ns_per_request"));
  EXPECT_FALSE(fixtures::cells_of(record)[0].summary.contains("latency_p99_ns"));
}

TEST(Summary, APercentileThatOneTrialLacksIsAbsent) {
  auto record = steady();
  fixtures::edit(record.trials[1])["latency_ns"].erase("p99");
  record.trials[2].error = "broken";
  EXPECT_FALSE(fixtures::cells_of(record)[0].summary.contains("latency_p99_ns"));
  EXPECT_EQ(fixtures::cells_of(record)[0].summary.at("latency_p50_ns").n, 2U);
  record.trials[1].error = "broken too";
  EXPECT_EQ(fixtures::cells_of(record)[0].summary.at("latency_p99_ns").n, 1U);
}

}  // namespace
}  // namespace muxbench
