#include "system/foreign_cpu.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace muxbench {
namespace {

TEST(SumOfCpuacct, IsOfTheseCpus) {
  const std::string text = "123 4000000000 7 \n";
  EXPECT_EQ(sum_of_cpuacct(text, {0}), Nanoseconds(123));
  EXPECT_EQ(sum_of_cpuacct(text, {1, 2}), Nanoseconds(4'000'000'007));
  EXPECT_EQ(sum_of_cpuacct(text, {2, 3}), Nanoseconds(7)) << "there is no CPU 3";
  EXPECT_EQ(sum_of_cpuacct(text, {}), Nanoseconds(0));
  EXPECT_EQ(sum_of_cpuacct("", {0}), Nanoseconds(0));
}

TEST(SumOfSchedstat, IsTheRunningTimeOfTheseCpus) {
  const std::string text =
      "version 17\n"
      "timestamp 4295\n"
      "cpu0 1 2 3 4 5 6 700 800 900\n"
      "domain0 MC 3 1 2 3 4 5 6 7 8 9\n"
      "cpu1 0 0 0 0 0 0 4000000000 0 0\n"
      "cpu10 0 0 0 0 0 0 5 0 0\n";
  EXPECT_EQ(sum_of_schedstat(text, {0}), Nanoseconds(700));
  EXPECT_EQ(sum_of_schedstat(text, {0, 1}), Nanoseconds(4'000'000'700));
  EXPECT_EQ(sum_of_schedstat(text, {10}), Nanoseconds(5)) << "not of CPU 1";
  EXPECT_EQ(sum_of_schedstat(text, {2}), Nanoseconds(0));
  EXPECT_EQ(sum_of_schedstat("cpu0 1 2 3\n", {0}), Nanoseconds(0)) << "an old kernel's";
}

TEST(ForeignCpu, NeverRunsBackwards) {
  const auto foreign = ForeignCpu::open();
  if (!foreign) GTEST_SKIP() << foreign.error().message;
  const Nanoseconds before = foreign->used({0});
  EXPECT_GT(before, Nanoseconds(0));
  EXPECT_GE(foreign->used({0}), before);
}

}  // namespace
}  // namespace muxbench
