// What a session promises whatever the protocol: the output does not depend on how the bytes
// arrived or left.
#include "protocol/session.h"

#include <gtest/gtest.h>

#include "conversation.h"

namespace muxbench {
namespace {

struct Case {
  const char* name;
  Protocol protocol;
  std::string input;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class EveryProtocol : public testing::TestWithParam<Case> {
 protected:
  Transcript play(std::vector<std::string_view> pieces, std::size_t longest_write = kUnlimited,
                  bool finish = true) const {
    return converse(GetParam().protocol, {std::move(pieces), finish, longest_write});
  }
  std::string_view input() const { return GetParam().input; }
};

TEST_P(EveryProtocol, IsIndifferentToOneSplit) {
  const Transcript whole = play({input()});
  EXPECT_TRUE(whole.closed) << "the client has finished";
  for (std::size_t at = 0; at <= input().size(); ++at) {
    ASSERT_EQ(play({input().substr(0, at), input().substr(at)}), whole) << "split at " << at;
  }
}

TEST_P(EveryProtocol, IsIndifferentToTwoSplits) {
  const Transcript whole = play({input()});
  const std::size_t step = input().size() / 150 + 1;  // every pair where the input is short
  for (std::size_t a = 0; a <= input().size(); a += step) {
    for (std::size_t b = a; b <= input().size(); b += step) {
      ASSERT_EQ(play({input().substr(0, a), input().substr(a, b - a), input().substr(b)}), whole)
          << "split at " << a << " and " << b;
    }
  }
}

TEST_P(EveryProtocol, IsIndifferentToSingleBytes) {
  EXPECT_EQ(play(byte_by_byte(input())), play({input()}));
}

TEST_P(EveryProtocol, IsIndifferentToShortWrites) {
  const Transcript whole = play({input()});
  for (std::size_t longest = 1; longest <= 700; ++longest) {
    ASSERT_EQ(play({input()}, longest), whole) << "at most " << longest << " bytes a write";
  }
}

TEST_P(EveryProtocol, SaysTheSameBeforeTheClientFinishes) {
  EXPECT_EQ(play({input()}, kUnlimited, false).output, play({input()}).output);
}

TEST_P(EveryProtocol, ClosesAClientThatSaysNothing) {
  const Transcript silent = play({});
  EXPECT_TRUE(silent.closed);
  EXPECT_EQ(silent.output, play({}, kUnlimited, false).output);
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

std::string repeated(std::string_view text, int times) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    , EveryProtocol,
    testing::Values(
        Case{"echo", Echo{}, "one\ntwo\nthree"}, Case{"greet", Greet{}, "hello\r\n"},
        Case{"greet_without_newline", Greet{}, "hello"},
        Case{"greet_two_lines", Greet{}, "hello\r\nand more\r\n"},
        Case{"greet_long", Greet{}, std::string(Greet::kLongestLine + 10, 'a')},
        Case{"http_one", Http{site()}, std::string(kGet)},
        Case{"http_two", Http{site()},
             "\r\nHEAD /large HTTP/1.1\r\nHost: x\r\n\r\nGET /empty HTTP/1.1\r\nHost: x\r\n\r\n"},
        Case{"http_escape", Http{site()},
             "GET /a%20b?q HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"},
        Case{"http_large", Http{site()},
             "GET /large HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kGet)},
        Case{"http_close", Http{site()}, "GET / HTTP/1.0\r\n\r\n"},
        Case{"http_close_and_more", Http{site()}, "GET / HTTP/1.0\r\n\r\nmore"},
        Case{"http_error", Http{site()},
             std::string(kGet) + "GET / HTTP/1.1\r\n\r\n" + std::string(kGet)},
        Case{"http_incomplete", Http{site()}, std::string(kGet) + "GET / HTTP/1.1\r\nHost: x\r\n"},
        Case{"http_hundred", Http{site()}, repeated(kGet, 100)}),
    [](const auto& instance) { return instance.param.name; });

// --- Buffers ---

class Buffers : public testing::Test {
 protected:
  void read(Session& session, std::string_view text) {
    const auto lease = session.lease_read();
    ASSERT_GE(lease.size(), text.size());
    std::memcpy(lease.data(), text.data(), text.size());
    session.on_read(text.size());
  }
  void write_all(Session& session) { session.on_written(pending_bytes(session)); }

  SessionContext context_{.protocol = Echo{}};
  BufferPool& pool_ = context_.buffers;
};

TEST_F(Buffers, ASessionAtRestHoldsNone) {
  Session session(context_);
  EXPECT_EQ(pool_.in_use(), 0U);
  EXPECT_FALSE(session.lease_read().empty());
  EXPECT_EQ(pool_.in_use(), 1U);
  session.cancel_read();
  EXPECT_EQ(pool_.in_use(), 0U) << "nothing was read";
  read(session, "hello");
  EXPECT_EQ(pool_.in_use(), 1U) << "the echo points into what was read";
  write_all(session);
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(Buffers, ALeaseOutlivesTheWriteBesideIt) {
  Session session(context_);
  read(session, "first");
  ASSERT_TRUE(session.then_reads());
  const auto lease = session.lease_read();
  EXPECT_EQ(pool_.in_use(), 2U);
  write_all(session);
  EXPECT_EQ(pool_.in_use(), 1U);
  std::memcpy(lease.data(), "second", 6);
  session.on_read(6);
  EXPECT_EQ(first_bytes(session.write_buffers(), 6), "second");
}

TEST_F(Buffers, UnansweredInputHoldsReadingBack) {
  Session session(context_);
  read(session, "first");
  read(session, "second");
  EXPECT_TRUE(session.lease_read().empty()) << "else a client could fill any number of buffers";
  EXPECT_FALSE(session.then_reads());
  EXPECT_EQ(first_bytes(session.write_buffers(), 5), "first");
  write_all(session);
  EXPECT_EQ(first_bytes(session.write_buffers(), 6), "second");
  EXPECT_FALSE(session.lease_read().empty());
}

TEST_F(Buffers, AMovedSessionTakesThemAlong) {
  Session session(context_);
  read(session, "hello");
  {
    Session moved(std::move(session));
    EXPECT_EQ(first_bytes(moved.write_buffers(), 5), "hello");
    EXPECT_TRUE(session.done());          // NOLINT(bugprone-use-after-move): this is the promise
    EXPECT_FALSE(session.wants_write());  // NOLINT(bugprone-use-after-move)
  }
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_F(Buffers, AnIncompleteRequestKeepsOneAndAFullLeaseRemains) {
  context_.protocol = Http{site()};
  Session session(context_);
  const std::string two = std::string(kGet) + "GET /empty HTTP";
  read(session, two);
  EXPECT_EQ(pool_.in_use(), 2U);
  write_all(session);
  EXPECT_EQ(pool_.in_use(), 1U);
  EXPECT_EQ(session.lease_read().size(), BufferPool::kBufferBytes - 15) << "moved to the front";
}

TEST_F(Buffers, TheRestOfARequestIsOwedUntilItIsWhole) {
  context_.protocol = Http{site()};
  Session session(context_);
  EXPECT_FALSE(session.mid_request()) << "nothing has begun";
  const std::string_view get = kGet;
  read(session, get.substr(0, 1));
  EXPECT_TRUE(session.mid_request());
  read(session, get.substr(1, get.size() - 2));
  EXPECT_TRUE(session.mid_request()) << "all but the last byte";
  read(session, get.substr(get.size() - 1));
  EXPECT_FALSE(session.mid_request()) << "it is our turn";
  write_all(session);
  EXPECT_FALSE(session.mid_request());
  read(session, "?\r\n");
  write_all(session);
  ASSERT_TRUE(session.wants_half_close());
  session.on_half_closed();
  EXPECT_TRUE(session.mid_request()) << "what comes after the last answer is only read to its end";
}

// --- The end of a conversation ---

TEST(SessionEnd, AHalfClosedClientStillGetsItsEcho) {
  SessionContext context{.protocol = Echo{}};
  Session session(context);
  auto lease = session.lease_read();
  std::memcpy(lease.data(), "last", 4);
  session.on_read(4);
  ASSERT_FALSE(session.lease_read().empty());
  session.on_read(0);
  EXPECT_FALSE(session.done());
  EXPECT_FALSE(session.then_reads());
  EXPECT_TRUE(session.lease_read().empty()) << "nothing can follow a FIN";
  session.on_written(4);
  EXPECT_TRUE(session.done());
}

TEST(SessionEnd, LingeringSwallowsAMeasureThenGivesUp) {
  SessionContext context{.protocol = Http{site()}};
  Session session(context);
  auto lease = session.lease_read();
  std::memcpy(lease.data(), "?\r\n", 3);
  session.on_read(3);
  ASSERT_TRUE(session.wants_write());
  EXPECT_FALSE(session.wants_half_close()) << "not before the answer is sent";
  session.on_written(pending_bytes(session));
  ASSERT_TRUE(session.wants_half_close());
  session.on_half_closed();
  std::size_t swallowed = 0;
  while (!session.done() && swallowed < 64'000'000) {
    lease = session.lease_read();
    ASSERT_FALSE(lease.empty());
    swallowed += lease.size();
    session.on_read(lease.size());
    EXPECT_EQ(context.buffers.in_use(), 0U);
  }
  EXPECT_GE(swallowed, 1'000'000U) << "a header of 1 MiB must find its refusal undamaged";
  EXPECT_LE(swallowed, 8'000'000U);
}

TEST(SessionEnd, LingeringEndsWithTheClient) {
  const Transcript transcript = converse(Http{site()}, {{"?\r\n", "more", "and more"}});
  EXPECT_TRUE(transcript.closed);
  EXPECT_TRUE(transcript.half_closed);
  const Transcript waits = converse(Http{site()}, {{"?\r\n", "more"}, false});
  EXPECT_FALSE(waits.closed) << "until the client finishes";
}

}  // namespace
}  // namespace muxbench
