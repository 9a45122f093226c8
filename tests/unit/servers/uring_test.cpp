#include "uring/ring.h"

#include <gtest/gtest.h>

namespace muxbench::uring {
namespace {

class RingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ring_.ok()) GTEST_SKIP() << "no io_uring here: " << describe(ring_.error());
  }

  // Operations that complete when they are submitted, numbered from 0.
  void prepare(unsigned count) {
    for (unsigned number = 0; number < count; ++number) {
      io_uring_sqe* sqe = ring_.next_sqe();
      ::io_uring_prep_nop(sqe);
      sqe->user_data = number;
    }
  }

  Ring ring_{{.preferred = Ring::kOneThread}};
};

TEST_F(RingTest, LosesNoCompletionWhenTheirQueueOverflows) {
  constexpr unsigned kOperations = 3 * Ring::kCompletions;
  prepare(kOperations);
  std::vector<unsigned> seen(kOperations);
  unsigned rounds = 0;
  for (unsigned all = 0; all < kOperations; ++rounds) {
    ring_.submit_and_wait(1000);
    const unsigned more =
        ring_.each_completion([&](const io_uring_cqe& cqe) { ++seen.at(cqe.user_data); });
    ASSERT_GT(more, 0U) << "after " << all << " of " << kOperations;
    all += more;
  }
  EXPECT_GE(rounds, 3U) << "the queue has not overflown";
  EXPECT_EQ(seen, std::vector<unsigned>(kOperations, 1));
}

TEST_F(RingTest, WaitsNoLongerThanAsked) {
  prepare(1);
  ring_.submit_and_wait(1);
  EXPECT_EQ(ring_.each_completion([](const io_uring_cqe&) {}), 1U);
}

}  // namespace
}  // namespace muxbench::uring
