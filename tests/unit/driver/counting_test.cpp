#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "fixtures.h"
#include "system/counting/call_names.h"
#include "system/counting/counts_json.h"

namespace muxbench {
namespace {

SyscallCounts counts(std::uint64_t scale) {
  SyscallCounts counts;
  counts.calls["recvfrom"] = {
      .calls = 10 * scale, .again = 2 * scale, .errors = 0, .result_sum = 640 * scale};
  counts.calls["accept4"] = {.calls = 3, .again = 1, .errors = 0, .result_sum = {}};
  counts.total_calls = 10 * scale + 3;
  counts.ring_operations = {{"send", 5 * scale}, {"accept", 7}};
  counts.ring_completions = 9 * scale;
  counts.voluntary_switches = 4 * scale;
  return counts;
}

TEST(SyscallCounts, ADifferenceHoldsWhatHappenedBetween) {
  const SyscallCounts delta = counts(3) - counts(1);
  ASSERT_EQ(delta.calls.size(), 1U);  // no accept in between
  const SyscallCount& recv = delta.calls.at("recvfrom");
  EXPECT_EQ(recv.calls, 20U);
  EXPECT_EQ(recv.again, 4U);
  EXPECT_EQ(recv.result_sum, 1280U);
  EXPECT_EQ(delta.total_calls, 20U);
  EXPECT_EQ(*delta.ring_operations, (std::map<std::string, std::uint64_t>{{"send", 10}}));
  EXPECT_EQ(delta.ring_completions, 18U);
  EXPECT_EQ(delta.voluntary_switches, 8U);
}

TEST(SyscallCounts, WhatIsUnknownStaysUnknown) {
  SyscallCounts end;
  end.calls["close"] = {.calls = 5, .again = {}, .errors = {}, .result_sum = {}};
  const SyscallCounts delta = end - SyscallCounts{};
  EXPECT_FALSE(delta.calls.at("close").again.has_value());
  EXPECT_FALSE(delta.ring_operations.has_value());
  const Json json = to_json(delta, "perf");
  EXPECT_EQ(json.at("syscalls").at("close"), Json({{"calls", 5}}));
  EXPECT_FALSE(json.contains("uring_operations"));
}

TEST(SyscallCounts, AskingInVainIsNoWork) {
  SyscallCounts spinning;
  spinning.calls["recvfrom"] = {.calls = 1000, .again = 990, .errors = 4, .result_sum = 384};
  spinning.calls["epoll_wait"] = {.calls = 500, .again = 0, .errors = 0, .result_sum = 7};
  EXPECT_EQ(spinning.work_done(), 6U + 7U);
}

TEST(CallNames, AreThoseOfThisArchitecture) {
  EXPECT_EQ(syscall_name(SYS_getppid), "getppid");
  EXPECT_EQ(syscall_name(SYS_io_uring_enter), "io_uring_enter");
  EXPECT_EQ(syscall_name(9999), "syscall_9999");
  EXPECT_EQ(ring_operation_name(27), "recv");
  EXPECT_EQ(ring_operation_name(126), "operation_126");
  EXPECT_TRUE(result_is_a_number("recvfrom"));
  EXPECT_FALSE(result_is_a_number("fork"));  // a process number
}

class CountingBackendTest : public testing::TestWithParam<const char*> {};

TEST_P(CountingBackendTest, CountsExactlyIfItOpens) {
  const TriedBackend tried = try_backend(GetParam());
  if (tried.backend.self_test) {
    EXPECT_EQ(tried.backend.self_test->counted, 1000U);
    EXPECT_NE(tried.counter, nullptr);
    return;
  }
  EXPECT_EQ(tried.counter, nullptr);
  ASSERT_THAT(tried.backend.reason, testing::Not(testing::IsEmpty()));
  GTEST_SKIP() << "environment: " << GetParam() << " does not open: " << tried.backend.reason;
}

INSTANTIATE_TEST_SUITE_P(Each, CountingBackendTest, testing::ValuesIn(kCountingBackends),
                         [](const auto& backend) { return std::string(backend.param); });

// Says that it saw so many getppid calls, whoever made them.
class Claims : public SyscallCounter {
 public:
  explicit Claims(std::uint64_t calls) : calls_(calls) {}
  const char* backend() const noexcept override { return "claims"; }
  Result<> watch(const WatchedProcesses&) override { return {}; }
  Result<SyscallCounts> read() const override {
    SyscallCounts counts;
    if (calls_ > 0) counts.calls["getppid"].calls = calls_;
    return counts;
  }
  void stop() noexcept override {}

 private:
  std::uint64_t calls_;
};

TriedBackend judge(std::uint64_t calls) {
  return check_backend("claims", std::unique_ptr<SyscallCounter>(std::make_unique<Claims>(calls)));
}

TEST(SelfTests, OneCallTooFewOrTooManyIsNotBelieved) {
  for (const std::uint64_t calls : {0, 999, 1001}) {
    const TriedBackend tried = judge(calls);
    EXPECT_EQ(tried.counter, nullptr) << calls;
    EXPECT_EQ(tried.backend.self_test->counted, calls);
    EXPECT_EQ(tried.backend.reason,
              fmt::format("it counted {} of the 1000 calls of its self-test", calls));
  }
  const TriedBackend exact = judge(1000);
  EXPECT_NE(exact.counter, nullptr);
  EXPECT_EQ(exact.backend.reason, "");
}

TEST(SelfTests, WhatDoesNotOpenSaysWhy) {
  const TriedBackend tried = check_backend("claims", make_error("no privilege"));
  EXPECT_EQ(tried.counter, nullptr);
  EXPECT_FALSE(tried.backend.self_test);
  EXPECT_EQ(tried.backend.reason, "no privilege");
}

TEST(Counting, TheReportHasCountsAndTheRatioOfThePasses) {
  auto record = fixtures::record({100e3, 101e3, 102e3}, {90e3});
  TrialResult trial = fixtures::trial(0, 0, 50500);
  trial.counts = counts(1);
  record.counting_trials.push_back(trial);
  record.backends = {{.name = "bpf", .reason = {}, .self_test = SelfTest{1000, 1000}}};
  const Json report = fixtures::report_json(record).at("muxbench");
  const Json& found = report.at("cells")[0].at("counts");
  EXPECT_EQ(found.at("source"), "BPF by cgroup");
  EXPECT_EQ(found.at("requests"), 50510);  // also those outside of the window
  EXPECT_DOUBLE_EQ(found.at("throughput_ratio").get<double>(), 0.5);
  EXPECT_EQ(found.at("syscalls").at("recvfrom").at("eagain"), 2);
  EXPECT_FALSE(report.at("cells")[1].contains("counts"));
  EXPECT_EQ(report.at("counting")[0].at("self_test").at("counted_calls"), 1000);
  EXPECT_EQ(report.at("trials").size(), 4U);
  EXPECT_EQ(report.at("counting_trials").size(), 1U);
  // What the counting pass measured besides does not enter the summary.
  EXPECT_EQ(report.at("cells")[0].at("summary").at("requests_per_second").at("n"), 3);
}

}  // namespace
}  // namespace muxbench
