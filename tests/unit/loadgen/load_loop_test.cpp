// The parts of the load loop that need no server. Time is what the test says it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "engine/open_loop.h"
#include "engine/requests.h"
#include "engine/timeout_sweep.h"

namespace muxbench::loadgen {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;

const Instant kStart = Instant(std::chrono::hours(1));

Instant at(int ms) { return kStart + milliseconds(ms); }

// A thread's loop with `active` connections, all of them open; its clock stands at kStart.
class Thread {
 public:
  explicit Thread(Options asked, std::uint32_t active = 2)
      : options(std::move(asked)),
        loop(options, Share{.active = active}, control, report),
        connections(active) {
    control.requests = options.requests;
    for (std::uint32_t i = 0; i < active; ++i) {
      connections[i].number = i;
      connections[i].status = Status::open;
    }
    loop.clock.now = kStart;
  }

  // A window of 100 ms.
  void start(Nanoseconds slice = {}) {
    loop.window.start({.start = kStart, .slice = slice}, kStart, options.open_loop(), at(100));
  }

  const Options options;
  Control control;
  ThreadReport report;
  LoopState loop;
  std::deque<Connection> connections;
};

TEST(Window, CountsFromItsBeginToItsEnd) {
  Window window;
  window.start({.start = kStart, .warmup = milliseconds(10)}, kStart, false, Control::kNever);
  EXPECT_EQ(window.due(), at(10));
  EXPECT_FALSE(window.counts(at(9)));
  EXPECT_TRUE(window.counts(at(10)));
  window.follow(at(50));
  EXPECT_TRUE(window.counts(at(49)));
  EXPECT_FALSE(window.counts(at(50)));
  window.follow(at(70));
  EXPECT_EQ(window.end(), at(50)) << "it only moves forward";
}

TEST(Window, OfASliceBeginsWhenItIsOpenedAndCountsUntilItIsClosed) {
  Window window;
  window.start({.start = kStart, .slice = milliseconds(5)}, kStart, false, Control::kNever);
  EXPECT_FALSE(window.counts(at(1)));
  window.open(at(1), Control::kNever);
  EXPECT_EQ(window.end(), at(6));
  EXPECT_TRUE(window.counts(at(7))) << "a batch counts whole";
  window.close(at(8));
  EXPECT_FALSE(window.counts(at(8)));
  EXPECT_FALSE(window.is_open());
}

TEST(Window, OfAnOpenLoopsSliceEndsWithItsTime) {
  Window window;
  window.start({.start = kStart, .slice = milliseconds(5)}, kStart, true, Control::kNever);
  window.open(at(1), Control::kNever);
  EXPECT_FALSE(window.counts(at(6)));
}

TEST(Requests, OfAPipelineEachCountFromTheirOwnTime) {
  Thread thread({.pipeline = 3});
  thread.start();
  Requests requests(thread.loop);
  Connection& connection = thread.connections[1];
  for (const int ms : {0, 1, 2}) EXPECT_TRUE(requests.begin(connection, at(ms)));
  thread.loop.clock.now = at(4);
  requests.complete(connection, true);
  EXPECT_TRUE(requests.begin(connection, at(4)));
  thread.loop.clock.now = at(8);
  for (int i = 0; i < 3; ++i) requests.complete(connection, true);
  EXPECT_EQ(requests.in_flight(), 0U);
  EXPECT_EQ(connection.requests, 4U);
  EXPECT_EQ(thread.report.found.latency.sum(),
            1'000'000U * ((4 - 0) + (8 - 1) + (8 - 2) + (8 - 4)));
}

TEST(Requests, ThatAreAskedForByNumberAreBegunAndSettledThatOften) {
  Thread thread({.requests = 2});
  thread.start();
  Requests requests(thread.loop);
  EXPECT_TRUE(requests.begin(thread.connections[0], at(0)));
  EXPECT_TRUE(requests.begin(thread.connections[1], at(0)));
  requests.complete(thread.connections[0], true);
  EXPECT_FALSE(requests.begin(thread.connections[0], at(0)));
  EXPECT_EQ(thread.control.end.load(), Control::kNever);
  requests.fail_all(thread.connections[1]);
  EXPECT_EQ(thread.control.end.load(), kStart + Nanoseconds(1)) << "the window includes the last";
  EXPECT_EQ(thread.report.found.requests, 1U);
  EXPECT_EQ(thread.report.found.failed_requests, 1U);
}

TEST(Requests, OfTheWarmupDoNotCount) {
  Thread thread({.requests = 2});
  thread.loop.window.start({.start = kStart, .warmup = milliseconds(10)}, kStart, false,
                           Control::kNever);
  Requests requests(thread.loop);
  EXPECT_TRUE(requests.begin(thread.connections[0], at(0)));
  requests.fail_all(thread.connections[0]);
  EXPECT_EQ(thread.report.found.failed_requests, 0U);
  EXPECT_EQ(thread.control.tickets.load(), 0U);
}

class OpenLoopTest : public testing::Test {
 protected:
  // The numbers of the connections that got what is due now.
  std::vector<std::uint32_t> dispatch(Thread& thread, OpenLoop& open_loop) {
    std::vector<std::uint32_t> numbers;
    open_loop.dispatch([&](Connection& connection, Instant) {
      numbers.push_back(connection.number);
      connection.in_flight = 1;
      return numbers.size() < most_;
    });
    thread.loop.clock.now = kStart;  // It was read meanwhile.
    return numbers;
  }
  static Options of_rate() { return {.threads = 1, .rate = 1000}; }

  std::size_t most_ = 1000;
};

TEST_F(OpenLoopTest, WhatIsDueTakesTheConnectionThatIsFreeTheLongest) {
  Thread thread(of_rate());
  thread.start();
  OpenLoop open_loop(thread.loop);
  open_loop.start(at(-1), 1000);  // due: one, and one now
  open_loop.set_free(thread.connections[1]);
  open_loop.set_free(thread.connections[0]);
  open_loop.set_free(thread.connections[1]);
  EXPECT_EQ(dispatch(thread, open_loop).front(), 1U);
}

TEST_F(OpenLoopTest, LostConnectionsGetNothing) {
  Thread thread(of_rate());
  thread.start();
  OpenLoop open_loop(thread.loop);
  open_loop.start(kStart, 1000);
  open_loop.set_free(thread.connections[0]);
  thread.connections[0].status = Status::closed;
  EXPECT_THAT(dispatch(thread, open_loop), ElementsAre());
  EXPECT_FALSE(thread.connections[0].listed) << "it comes back when it is open again";
}

TEST_F(OpenLoopTest, IsFinishedWhenAsManyAsWereAskedForHaveBeenBegun) {
  Thread thread(of_rate());
  thread.start();
  OpenLoop open_loop(thread.loop);
  open_loop.start(at(-1), 1000);
  open_loop.set_free(thread.connections[0]);
  EXPECT_FALSE(open_loop.finished());
  most_ = 1;
  EXPECT_THAT(dispatch(thread, open_loop), ElementsAre(0U));
  EXPECT_TRUE(open_loop.finished());
  EXPECT_EQ(open_loop.next(), Control::kNever);
}

TEST_F(OpenLoopTest, IsOverloadedWhenTheScheduleIsTooFarBehind) {
  Options options = of_rate();
  options.max_lag = milliseconds(5);
  Thread thread(options);
  thread.start();
  OpenLoop open_loop(thread.loop);
  open_loop.start(at(-5), 1000);
  EXPECT_FALSE(open_loop.overloaded());
  thread.loop.clock.now = at(1);
  EXPECT_TRUE(open_loop.overloaded());
}

TEST(Timers, AreTakenInTheOrderOfTheirTimes) {
  Thread thread({});
  Timers& timers = thread.loop.timers;
  thread.loop.clock.next_check = Control::kNever;
  timers.set(thread.connections[0], milliseconds(2));
  timers.set(thread.connections[1], milliseconds(1));
  EXPECT_EQ(thread.loop.clock.next_check, at(1));
  EXPECT_EQ(timers.next(), at(1));
  EXPECT_EQ(timers.pop().number, 1U);
  EXPECT_EQ(timers.pop().number, 0U);
  EXPECT_EQ(timers.next(), Control::kNever);
}

TEST(TimeoutSweep, LooksAtEachConnectionWithinAnEighthOfTheTimeout) {
  TimeoutSweep sweep({.connect_timeout = milliseconds(900), .timeout = milliseconds(80)});
  sweep.restart(kStart);
  std::vector<int> looks(100);
  for (int ms = 1; ms <= 10; ++ms) {
    sweep.sweep(at(ms), looks.size(), [&](std::size_t index) { ++looks[index]; });
  }
  EXPECT_THAT(looks, Each(testing::Ge(1)));
  EXPECT_THAT(looks, Each(testing::Le(2)));
}

}  // namespace
}  // namespace muxbench::loadgen
