// AcceptThrottle: when accepting pauses, and when the pause ends.
#include "runtime/accept_throttle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "runtime/counters.h"

namespace muxbench {
namespace {

class AcceptThrottleTest : public testing::Test {
 protected:
  // Its memory is where the attempts of several workers queue; new for each test.
  void SetUp() override { ASSERT_TRUE(counters::set_up(1, {})); }
};

TEST_F(AcceptThrottleTest, ClosesWhenSomethingHasRunOut) {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    AcceptThrottle throttle(10);
    EXPECT_TRUE(throttle.may_accept(0));
    EXPECT_EQ(throttle.on_error(Errno{error}), AcceptAdvice::pause);
    EXPECT_TRUE(throttle.paused());
    EXPECT_FALSE(throttle.may_accept(0));
  }
}

TEST_F(AcceptThrottleTest, StaysOpenForWhatConcernsOneConnection) {
  AcceptThrottle throttle(10);
  EXPECT_EQ(throttle.on_error(Errno{EAGAIN}), AcceptAdvice::none_left);
  for (const int error : {ECONNABORTED, EPROTO, EINTR, ENETDOWN}) {
    EXPECT_EQ(throttle.on_error(Errno{error}), AcceptAdvice::try_next);
  }
  EXPECT_TRUE(throttle.may_accept(0));
}

TEST_F(AcceptThrottleTest, IsClosedWhileEveryPlaceIsTaken) {
  AcceptThrottle throttle(2);
  EXPECT_TRUE(throttle.may_accept(1));
  EXPECT_FALSE(throttle.may_accept(2));
  EXPECT_FALSE(throttle.paused());  // nothing to wait for but a connection's end
  EXPECT_TRUE(throttle.may_accept(1));
}

TEST_F(AcceptThrottleTest, OneWorkerTriesAgainAfterThePause) {
  AcceptThrottle throttle(10);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Clock::time_point before = Clock::now();
    throttle.pause();
    EXPECT_GE(throttle.pause_ends(), before + AcceptThrottle::kPause);
    while (!throttle.may_accept(0)) std::this_thread::sleep_until(throttle.pause_ends());
    EXPECT_GE(Clock::now(), before + AcceptThrottle::kPause);
  }
}

TEST_F(AcceptThrottleTest, ManyWorkersTryOneAfterTheOther) {
  constexpr std::size_t kWorkers = 256;
  std::vector<AcceptThrottle> gates(kWorkers, AcceptThrottle(1));
  std::vector<Clock::time_point> attempts;
  for (AcceptThrottle& throttle : gates) {
    throttle.pause();
    attempts.push_back(throttle.pause_ends());
  }
  // The first of them has failed again: it comes after all that wait.
  gates.front().pause();
  attempts.push_back(gates.front().pause_ends());
  constexpr Nanoseconds kHundredthSecond = std::chrono::milliseconds(10);
  const auto too_close = [=](auto earlier, auto later) {
    return later - earlier <= kHundredthSecond;
  };
  EXPECT_EQ(std::ranges::adjacent_find(attempts, too_close), attempts.end());
}

TEST_F(AcceptThrottleTest, WhoHasMoreThanItsRivalsLeavesTheNextToThem) {
  ASSERT_TRUE(counters::set_up(2, {}));
  counters::of_worker(0).open = 1000;
  counters::of_worker(1).open = 80;
  AcceptThrottle throttle(SIZE_MAX);
  throttle.rebalance_accepts(80 + 80 / 8 + 1);
  EXPECT_TRUE(throttle.may_accept(0));
  const Clock::time_point before = Clock::now();
  throttle.rebalance_accepts(80 + 80 / 8 + 2);
  EXPECT_TRUE(throttle.paused());
  EXPECT_GE(throttle.pause_ends(), before + AcceptThrottle::kRebalancePause);
  while (!throttle.may_accept(0)) std::this_thread::sleep_until(throttle.pause_ends());
}

}  // namespace
}  // namespace muxbench
