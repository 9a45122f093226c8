// Answers that are held back until some work is done (SessionContext::holds_answers): nothing may
// leave before, and nothing may be lost by waiting.
#include <gtest/gtest.h>

#include <cstring>

#include "conversation.h"

namespace muxbench {
namespace {

class HeldAnswers : public testing::Test {
 protected:
  explicit HeldAnswers(Protocol protocol = Echo{})
      : context_{.protocol = std::move(protocol), .holds_answers = true} {}

  void read(Session& session, std::string_view text) {
    const auto lease = session.lease_read();
    ASSERT_GE(lease.size(), text.size());
    std::memcpy(lease.data(), text.data(), text.size());
    session.on_read(text.size());
  }
  std::string write_all(Session& session) {
    std::string text = first_bytes(session.write_buffers(), pending_bytes(session));
    session.on_written(text.size());
    return text;
  }

  SessionContext context_;
};

TEST_F(HeldAnswers, AnAnswerWaitsForItsWork) {
  Session session(context_);
  EXPECT_FALSE(session.awaits_work()) << "nobody has asked for anything";
  read(session, "hello");
  EXPECT_TRUE(session.awaits_work());
  EXPECT_FALSE(session.wants_write());
  EXPECT_FALSE(session.done());
  session.on_work_done();
  EXPECT_FALSE(session.awaits_work());
  ASSERT_TRUE(session.wants_write());
  EXPECT_EQ(write_all(session), "hello");
  EXPECT_FALSE(session.awaits_work()) << "the next request has not come";
  read(session, "again");
  EXPECT_TRUE(session.awaits_work()) << "each request has work of its own";
}

TEST_F(HeldAnswers, AClientThatFinishesMeanwhileIsStillAnswered) {
  Session session(context_);
  read(session, "last");
  ASSERT_TRUE(session.awaits_work());
  session.on_read(0);
  EXPECT_FALSE(session.done());
  session.on_work_done();
  EXPECT_EQ(write_all(session), "last");
  EXPECT_TRUE(session.done());
}

TEST_F(HeldAnswers, AMovedSessionStillWaits) {
  Session session(context_);
  read(session, "hello");
  Session moved(std::move(session));
  EXPECT_TRUE(moved.awaits_work());
  EXPECT_FALSE(moved.wants_write());
  EXPECT_FALSE(session.awaits_work());  // NOLINT(bugprone-use-after-move): this is the promise
  moved.on_work_done();
  EXPECT_EQ(write_all(moved), "hello");
}

TEST_F(HeldAnswers, ASessionMayEndWhileItsWorkGoesOn) {
  {
    Session session(context_);
    read(session, "hello");
  }
  EXPECT_EQ(context_.buffers.in_use(), 0U);
}

class HeldGreeting : public HeldAnswers {
 protected:
  HeldGreeting() : HeldAnswers(Greet{}) {}
};

TEST_F(HeldGreeting, OnlyAnswersAreHeldAndTheEndComesAfterThem) {
  Session session(context_);
  ASSERT_TRUE(session.wants_write()) << "a greeting answers no request";
  EXPECT_EQ(write_all(session), Greet::kGreeting);
  read(session, "hel");
  EXPECT_FALSE(session.awaits_work()) << "half a line is no request";
  read(session, "lo\n");
  ASSERT_TRUE(session.awaits_work());
  EXPECT_FALSE(session.done());
  session.on_work_done();
  EXPECT_EQ(write_all(session), "hello\n");
  EXPECT_TRUE(session.done());
}

class HeldPages : public HeldAnswers {
 protected:
  HeldPages() : HeldAnswers(Http{site()}) {}
};

TEST_F(HeldPages, PipelinedRequestsEachHaveTheirWork) {
  Session session(context_);
  const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  read(session, get + get + get);
  int worked = 0;
  while (session.awaits_work()) {
    EXPECT_FALSE(session.wants_write());
    ++worked;
    session.on_work_done();
    EXPECT_TRUE(write_all(session).ends_with("home"));
  }
  EXPECT_EQ(worked, 3);
  EXPECT_EQ(context_.buffers.in_use(), 0U);
}

}  // namespace
}  // namespace muxbench
