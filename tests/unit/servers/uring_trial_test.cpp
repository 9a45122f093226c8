#include "uring/trial.h"

#include <gtest/gtest.h>

namespace muxbench::uring::trial {
namespace {

class UringTrialTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ring_.ok()) GTEST_SKIP() << "no io_uring here: " << describe(ring_.error());
  }

  Ring ring_{{.preferred = Ring::kOneThread}};
  Sockets sockets_;
};

TEST_F(UringTrialTest, AnOperationThatCompletesOnceDoesNotStayArmed) {
  EXPECT_FALSE(stays_armed(ring_, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_poll_add(sqe, sockets_.readable(), POLLIN);
  }));
  EXPECT_FALSE(stays_armed(ring_, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_accept(sqe, sockets_.listener(), nullptr, nullptr, 0);
  }));
}

TEST_F(UringTrialTest, ARefusedOperationDoesNotStayArmed) {
  constexpr std::uint16_t kNoSuchFlag = 1U << 15;
  EXPECT_FALSE(stays_armed(ring_, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_multishot_accept(sqe, sockets_.listener(), nullptr, nullptr, 0);
    sqe->ioprio |= kNoSuchFlag;
  }));
}

TEST_F(UringTrialTest, AMultishotAcceptStaysArmed) {
  EXPECT_TRUE(stays_armed(ring_, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_multishot_accept(sqe, sockets_.listener(), nullptr, nullptr, 0);
  }));
}

// The feature bits are the kernel's own word for the same things, or of the same version.
TEST_F(UringTrialTest, TrialsAgreeWithTheFeatureBits) {
  const unsigned features = ring_.get()->features;
  EXPECT_EQ(skips_success(ring_), (features & IORING_FEAT_CQE_SKIP) != 0);  // Linux 5.17
  EXPECT_TRUE(links(ring_));                                                // Linux 5.3
  if ((features & IORING_FEAT_RSRC_TAGS) != 0) {                            // Linux 5.13
    EXPECT_TRUE(polls_many_times(ring_, sockets_));
  }
}

}  // namespace
}  // namespace muxbench::uring::trial
