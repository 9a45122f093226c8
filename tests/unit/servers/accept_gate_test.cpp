// AcceptGate: what closes it, and when it opens again.
#include "runtime/accept_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "runtime/counters.h"

namespace muxbench {
namespace {

class AcceptGateTest : public testing::Test {
 protected:
  // Its memory is where the attempts of several workers queue; new for each test.
  void SetUp() override { ASSERT_TRUE(counters::set_up(1, {})); }
};

TEST_F(AcceptGateTest, ClosesWhenSomethingHasRunOut) {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    AcceptGate gate(10);
    EXPECT_TRUE(gate.is_open(0));
    EXPECT_EQ(gate.on_error(Errno{error}), AcceptAdvice::pause);
    EXPECT_TRUE(gate.paused());
    EXPECT_FALSE(gate.is_open(0));
  }
}

TEST_F(AcceptGateTest, StaysOpenForWhatConcernsOneConnection) {
  AcceptGate gate(10);
  EXPECT_EQ(gate.on_error(Errno{EAGAIN}), AcceptAdvice::none_left);
  for (const int error : {ECONNABORTED, EPROTO, EINTR, ENETDOWN}) {
    EXPECT_EQ(gate.on_error(Errno{error}), AcceptAdvice::try_next);
  }
  EXPECT_TRUE(gate.is_open(0));
}

TEST_F(AcceptGateTest, IsClosedWhileEveryPlaceIsTaken) {
  AcceptGate gate(2);
  EXPECT_TRUE(gate.is_open(1));
  EXPECT_FALSE(gate.is_open(2));
  EXPECT_FALSE(gate.paused());  // nothing to wait for but a connection's end
  EXPECT_TRUE(gate.is_open(1));
}

TEST_F(AcceptGateTest, OneWorkerTriesAgainAfterThePause) {
  AcceptGate gate(10);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Clock::time_point before = Clock::now();
    gate.close_for_a_while();
    EXPECT_GE(gate.reopens(), before + AcceptGate::kPause);
    while (!gate.is_open(0)) std::this_thread::sleep_until(gate.reopens());
    EXPECT_GE(Clock::now(), before + AcceptGate::kPause);
  }
}

TEST_F(AcceptGateTest, ManyWorkersTryOneAfterTheOther) {
  constexpr std::size_t kWorkers = 256;
  std::vector<AcceptGate> gates(kWorkers, AcceptGate(1));
  std::vector<Clock::time_point> attempts;
  for (AcceptGate& gate : gates) {
    gate.close_for_a_while();
    attempts.push_back(gate.reopens());
  }
  // The first of them has failed again: it comes after all that wait.
  gates.front().close_for_a_while();
  attempts.push_back(gates.front().reopens());
  constexpr Nanoseconds kHundredthSecond = std::chrono::milliseconds(10);
  const auto too_close = [=](auto earlier, auto later) {
    return later - earlier <= kHundredthSecond;
  };
  EXPECT_EQ(std::ranges::adjacent_find(attempts, too_close), attempts.end());
}

TEST_F(AcceptGateTest, WhoHasMoreThanItsRivalsLeavesTheNextToThem) {
  ASSERT_TRUE(counters::set_up(2, {}));
  counters::of_worker(0).open = 1000;
  counters::of_worker(1).open = 80;
  AcceptGate gate(SIZE_MAX);
  gate.give_rivals_a_turn(80 + 80 / 8 + 1);
  EXPECT_TRUE(gate.is_open(0));
  const Clock::time_point before = Clock::now();
  gate.give_rivals_a_turn(80 + 80 / 8 + 2);
  EXPECT_TRUE(gate.paused());
  EXPECT_GE(gate.reopens(), before + AcceptGate::kRivalsTurn);
  while (!gate.is_open(0)) std::this_thread::sleep_until(gate.reopens());
}

}  // namespace
}  // namespace muxbench
