#include "options/host_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace muxbench::loadgen {
namespace {

using testing::HasSubstr;

Options whole() {
  Options options;
  options.target_text = "10.0.0.5:7000";
  options.target = *Address::parse(options.target_text);
  options.connections = 10;
  options.idle = 7;
  options.stall_trickle = 1;
  options.rates = {1'001, 20'000};
  options.cpus = {0};
  return options;
}

TEST(HostPart, PartsAddUpToTheTotal) {
  for (const std::uint64_t total : {0U, 1U, 2U, 3U, 1'000'003U}) {
    std::uint64_t sum = 0;
    for (std::uint32_t host = 0; host < 7; ++host) sum += part_of(total, {host, 7});
    EXPECT_EQ(sum, total);
  }
}

TEST(HostPart, EverythingThatIsATotalIsSplit) {
  Options sum;
  sum.connections = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (std::uint32_t host = 0; host < 4; ++host) {
    const Options part = part_of(whole(), {host, 4});
    sum.connections += part.connections;
    sum.idle += part.idle;
    sum.stall_trickle += part.stall_trickle;
    low += part.rates[0];
    high += part.rates[1];
    EXPECT_EQ(part.part.host, host);
    EXPECT_LE(part.threads, part.connections);
  }
  EXPECT_EQ(sum.connections, 10U);
  EXPECT_EQ(sum.idle, 7U);
  EXPECT_EQ(sum.stall_trickle, 1U);
  EXPECT_EQ(low, 1'001U);
  EXPECT_EQ(high, 20'000U);
}

TEST(HostPart, TheRateIsOfThoseWhoHaveConnections) {
  Options options = whole();
  options.connections = 2;
  EXPECT_EQ(part_of(options, {0, 3}).rates[0], 501U);
  EXPECT_EQ(part_of(options, {1, 3}).rates[0], 500U);
  EXPECT_EQ(part_of(options, {2, 3}).rates[0], 0U);
  EXPECT_EQ(part_of(options, {2, 3}).connections, 0U);
}

TEST(HostPart, NumbersOfConnectionsAreUniqueOverAllHosts) {
  std::uint32_t end = 0;
  for (std::uint32_t host = 0; host < 5; ++host) {
    const Options part = part_of(whole(), {host, 5});
    EXPECT_GE(part.first_number, end);
    end = part.first_number + part.connections + part.background();
  }
}

TEST(HostPart, ThreadsAreThoseAskedForOrOneForEachCpu) {
  Options options = whole();
  options.cpus = {0, 1, 2};
  EXPECT_EQ(part_of(options, {0, 2}).threads, 3U);
  options.threads = 2;
  options.threads_asked = true;
  EXPECT_EQ(part_of(options, {0, 2}).threads, 2U);
  options.connections = 1;
  EXPECT_EQ(part_of(options, {0, 2}).threads, 1U);
}

TEST(HostPart, WhatCannotBeSplitIsRefused) {
  Options options = whole();
  EXPECT_TRUE(check_parts(options, 4));
  options.rates = {3};
  EXPECT_THAT(check_parts(options, 4).error().message,
              HasSubstr("--rate 3 cannot be split over 4"));
  options = whole();
  options.connect_rate = 3;
  EXPECT_THAT(check_parts(options, 4).error().message, HasSubstr("--connect-rate 3"));
  options = whole();
  options.requests = 3;
  EXPECT_THAT(check_parts(options, 4).error().message, HasSubstr("4 hosts with nothing to do"));
  options = whole();
  options.target = *Address::parse("unix:/run/x");
  EXPECT_THAT(check_parts(options, 2).error().message, HasSubstr("on one machine"));
}

}  // namespace
}  // namespace muxbench::loadgen
