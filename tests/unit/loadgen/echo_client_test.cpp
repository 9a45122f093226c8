// The echo client joined to a fake peer: no sockets, every fragmentation.
#include "client/echo_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace muxbench::loadgen {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class EchoPeer : public testing::Test {
 protected:
  explicit EchoPeer(const MessageSizes& sizes = 64U, std::uint32_t pipeline = 1)
      : client_(
            pattern_, sizes, errors_,
            [this](std::uint32_t offset) {
              const bool other = other_ && client_.covers(*other_, offset);
              return other ? std::optional(other_->connection) : std::nullopt;
            },
            pipeline) {
    client_.open(state_, 17, 1);
  }

  // Takes what the client wants to send, at most `limit` bytes of it.
  Bytes take_sent(EchoClient::State& state, std::size_t limit = SIZE_MAX) {
    Bytes sent;
    const Outgoing out = client_.outgoing(state);
    for (const iovec& piece : out.pieces()) {
      const auto* bytes = static_cast<const std::byte*>(piece.iov_base);
      sent.insert(sent.end(), bytes, bytes + std::min(piece.iov_len, limit));
    }
    client_.sent(state, sent.size());
    return sent;
  }

  // Hands bytes to the client in reads of `step`; returns the last outcome.
  Outcome answer(const Bytes& bytes, std::size_t step = SIZE_MAX) {
    Outcome last = Outcome::more;
    std::span<const std::byte> rest(bytes);
    while (!rest.empty() && last != Outcome::broken) {
      auto read = rest.first(std::min(step, rest.size()));
      rest = rest.subspan(read.size());
      while ((!read.empty() || client_.more_complete(state_)) && last != Outcome::broken) {
        const Received received = client_.receive(state_, read);
        read = read.subspan(received.consumed);
        last = received.outcome;
        if (last != Outcome::more) outcomes_.push_back(last);
      }
    }
    return last;
  }

  std::vector<Outcome> outcomes_;  // of all messages that were completed

  Pattern pattern_{1 << 20};
  ErrorLog errors_;
  std::optional<EchoClient::State> other_;
  EchoClient client_;
  EchoClient::State state_;
};

TEST_F(EchoPeer, NothingToSendBeforeARequest) {
  EXPECT_EQ(client_.outgoing(state_).size(), 0U);
  EXPECT_EQ(client_.progress(state_), "after 0 messages");
}

TEST_F(EchoPeer, EachMessageSucceedsHoweverItIsCut) {
  for (std::size_t step = 1; step <= 64; ++step) {
    client_.begin(state_);
    const Bytes sent = take_sent(state_);
    ASSERT_EQ(sent.size(), 64U);
    EXPECT_EQ(answer(sent, step), Outcome::succeeded) << step;
    EXPECT_EQ(client_.outgoing(state_).size(), 0U);
  }
  EXPECT_EQ(errors_.total(), 0U);
}

TEST_F(EchoPeer, ShortSendsGoOnWhereTheyStopped) {
  client_.begin(state_);
  Bytes sent;
  while (client_.outgoing(state_).size() != 0) {
    const Bytes part = take_sent(state_, 7);
    sent.insert(sent.end(), part.begin(), part.end());
    // The peer echoes while the client is still sending.
    if (sent.size() < 64) {
      EXPECT_EQ(answer(part), Outcome::more);
    } else {
      EXPECT_EQ(answer(part), Outcome::succeeded);
    }
  }
  EXPECT_EQ(sent.size(), 64U);
}

TEST_F(EchoPeer, AWrongByteIsNamed) {
  client_.begin(state_);
  EXPECT_EQ(answer(take_sent(state_)), Outcome::succeeded);
  client_.begin(state_);
  Bytes sent = take_sent(state_);
  const std::string expected = fmt::format("expected 0x{:02x}", static_cast<int>(sent[5]));
  sent[5] ^= std::byte{1};
  EXPECT_EQ(answer(sent), Outcome::failed);
  EXPECT_EQ(errors_.count(ErrorKind::corrupt), 1U);
  EXPECT_THAT(errors_.first(ErrorKind::corrupt), HasSubstr("connection 17, message 1, byte 5"));
  EXPECT_THAT(errors_.first(ErrorKind::corrupt), HasSubstr(expected));
  client_.begin(state_);
  EXPECT_EQ(answer(take_sent(state_)), Outcome::succeeded) << "the stream goes on";
}

TEST_F(EchoPeer, ADuplicateBeforeTheNextAnswerCountsOnce) {
  client_.begin(state_);
  const Bytes first = take_sent(state_);
  EXPECT_EQ(answer(first), Outcome::succeeded);
  client_.begin(state_);
  const Bytes second = take_sent(state_);
  EXPECT_EQ(answer(first), Outcome::more);
  EXPECT_EQ(answer(second), Outcome::failed);
  client_.begin(state_);
  EXPECT_EQ(answer(take_sent(state_)), Outcome::succeeded);
  EXPECT_EQ(errors_.total(), 1U);
  EXPECT_EQ(errors_.count(ErrorKind::extra), 1U);
}

TEST_F(EchoPeer, BytesTooManyFailTheMessageThatTheyCameWith) {
  for (const std::size_t count : {1U, 3U, 20U, 64U, 500U}) {
    const std::uint64_t before = errors_.total();
    client_.begin(state_);
    EXPECT_EQ(answer(take_sent(state_) + Bytes(count, std::byte{0})), Outcome::failed) << count;
    client_.begin(state_);
    EXPECT_EQ(answer(take_sent(state_)), Outcome::succeeded) << count << ": the next is right";
    EXPECT_EQ(errors_.total(), before + 1) << count;
  }
  EXPECT_EQ(errors_.count(ErrorKind::extra), 5U);
}

TEST_F(EchoPeer, ADuplicateFailsTheMessageThatItCameWith) {
  for (int message = 0; message < 3; ++message) {
    client_.begin(state_);
    const Bytes sent = take_sent(state_);
    EXPECT_EQ(answer(sent + sent), Outcome::failed);
    EXPECT_EQ(errors_.count(ErrorKind::extra), message + 1U) << "known at once";
    client_.begin(state_);
    EXPECT_EQ(answer(take_sent(state_)), Outcome::succeeded);
  }
  EXPECT_EQ(errors_.total(), 3U);
}

TEST_F(EchoPeer, BytesTooManyAtTheEndAreFoundInTheEnd) {
  client_.begin(state_);
  EXPECT_EQ(answer(take_sent(state_) + Bytes(2, std::byte{0})), Outcome::failed);
  client_.conclude(state_);
  EXPECT_EQ(errors_.count(ErrorKind::extra), 1U);
}

TEST_F(EchoPeer, TheNextBytesTooEarlyAreExtraToo) {
  client_.begin(state_);
  const Bytes first = take_sent(state_);
  client_.begin(state_);
  const Bytes next = take_sent(state_);
  client_.open(state_, 17, 1);  // the same stream again
  client_.begin(state_);
  take_sent(state_);
  EXPECT_EQ(answer(first + Bytes(next.begin(), next.begin() + 20)), Outcome::failed);
  client_.begin(state_);
  take_sent(state_);
  EXPECT_EQ(answer(next), Outcome::succeeded);
  EXPECT_EQ(errors_.total(), 1U);
  EXPECT_EQ(errors_.count(ErrorKind::extra), 1U);
}

TEST_F(EchoPeer, ReorderedBytesFailTheirMessageHoweverTheyAreCut) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{32}, std::size_t{64}}) {
    const std::uint64_t before = errors_.total();
    outcomes_.clear();
    client_.begin(state_);
    Bytes sent = take_sent(state_);
    std::rotate(sent.begin(), sent.begin() + 32, sent.end());
    answer(Bytes(sent.begin(), sent.begin() + 32), step);
    const bool judged = !outcomes_.empty();
    if (judged) client_.begin(state_);  // as a closed loop does
    answer(Bytes(sent.begin() + 32, sent.end()), step);
    if (!judged) client_.begin(state_);
    answer(take_sent(state_), step);
    EXPECT_THAT(outcomes_, testing::ElementsAre(Outcome::failed, Outcome::succeeded)) << step;
    EXPECT_EQ(errors_.total(), before + 1) << step;
  }
}

TEST_F(EchoPeer, MissingBytesAreDecidedWhenNoMoreCome) {
  client_.begin(state_);
  Bytes sent = take_sent(state_);
  sent.erase(sent.begin() + 61);
  EXPECT_EQ(answer(sent), Outcome::more);
  EXPECT_TRUE(client_.conclude(state_));
  EXPECT_EQ(errors_.count(ErrorKind::missing), 1U);
}

TEST_F(EchoPeer, ATruncatedMessageLeavesItToTheTimeout) {
  client_.begin(state_);
  Bytes sent = take_sent(state_);
  sent.resize(60);
  EXPECT_EQ(answer(sent), Outcome::more);
  EXPECT_EQ(client_.progress(state_), "message 0, 60 of 64 bytes received");
  EXPECT_FALSE(client_.conclude(state_));
}

TEST_F(EchoPeer, ProgressCountsFromTheBeginOfTheMessage) {
  client_.begin(state_);
  EXPECT_EQ(answer(take_sent(state_)), Outcome::succeeded);
  client_.begin(state_);
  Bytes sent = take_sent(state_);
  sent.resize(10);
  EXPECT_EQ(answer(sent), Outcome::more);
  EXPECT_EQ(client_.progress(state_), "message 1, 10 of 64 bytes received");
}

TEST_F(EchoPeer, AnotherConnectionsBytesNameIt) {
  other_.emplace();
  client_.open(*other_, 4, 1);
  client_.begin(*other_);
  const Bytes theirs = take_sent(*other_);
  client_.begin(state_);
  take_sent(state_);
  EXPECT_EQ(answer(theirs), Outcome::failed);
  EXPECT_THAT(errors_.first(ErrorKind::corrupt), HasSubstr("64 bytes of connection 4"));
}

TEST_F(EchoPeer, BytesNobodyAskedForAreExtra) {
  EXPECT_EQ(answer(Bytes(20, std::byte{'x'})), Outcome::more);
  EXPECT_TRUE(client_.conclude(state_));
  EXPECT_EQ(errors_.count(ErrorKind::extra), 1U);
}

TEST_F(EchoPeer, AHopelessStreamIsGivenUp) {
  Outcome last = Outcome::more;
  int messages = 0;
  while (last != Outcome::broken && messages < 100) {
    client_.begin(state_);
    Bytes sent = take_sent(state_);
    sent[0] ^= std::byte{1};
    last = answer(sent);
    ++messages;
  }
  EXPECT_EQ(messages, 8);
}

TEST_F(EchoPeer, DamageNowAndThenIsNotHopeless) {
  for (int message = 0; message < 100; ++message) {
    client_.begin(state_);
    Bytes sent = take_sent(state_);
    if (message % 2 == 0) sent[0] ^= std::byte{1};
    ASSERT_EQ(answer(sent), message % 2 == 0 ? Outcome::failed : Outcome::succeeded) << message;
  }
  EXPECT_EQ(errors_.count(ErrorKind::corrupt), 50U);
}

TEST_F(EchoPeer, TheEndOfTheStreamIsNeverRight) {
  EXPECT_EQ(client_.end_of_stream(state_), Outcome::broken);
}

class EchoPipeline : public EchoPeer {
 protected:
  static constexpr std::size_t kDepth = 4;
  EchoPipeline() : EchoPeer(64U, kDepth) {}
  Bytes ask_for_all() {
    for (std::size_t i = 0; i < kDepth; ++i) client_.begin(state_);
    return take_sent(state_);
  }
};

TEST_F(EchoPipeline, AllAreSentAtOnceAndCompleteOneByOneHoweverTheyAreCut) {
  for (std::size_t step = 1; step <= kDepth * 64; ++step) {
    const Bytes sent = ask_for_all();
    ASSERT_EQ(sent.size(), kDepth * 64);
    outcomes_.clear();
    answer(sent, step);
    EXPECT_THAT(outcomes_, testing::Each(Outcome::succeeded)) << step;
    EXPECT_EQ(outcomes_.size(), kDepth) << step;
  }
  EXPECT_EQ(errors_.total(), 0U);
}

TEST_F(EchoPipeline, AWrongByteFailsItsOwnMessageOnlyHoweverItIsCut) {
  for (std::size_t wrong = 0; wrong < kDepth * 64; ++wrong) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{63}, kDepth * 64}) {
      Bytes sent = ask_for_all();
      const std::uint64_t before = errors_.total();
      sent[wrong] ^= std::byte{1};
      outcomes_.clear();
      answer(sent, step);
      ASSERT_EQ(errors_.total(), before + 1) << wrong << ' ' << step;
      ASSERT_EQ(outcomes_.size(), kDepth) << wrong << ' ' << step;
      for (std::size_t i = 0; i < kDepth; ++i) {
        ASSERT_EQ(outcomes_[i], i == wrong / 64 ? Outcome::failed : Outcome::succeeded)
            << "message " << i << ", wrong byte " << wrong << ", reads of " << step;
      }
    }
    answer(ask_for_all());  // Or eight wrong messages in a row would be hopeless.
  }
}

TEST_F(EchoPipeline, MissingBytesAreOneErrorAndFailTheirMessage) {
  Bytes sent = ask_for_all();
  sent.erase(sent.begin() + 70, sent.begin() + 75);
  answer(sent);
  const Bytes next = ask_for_all();
  answer(next);
  EXPECT_EQ(errors_.total(), 1U);
  EXPECT_EQ(errors_.count(ErrorKind::missing), 1U);
  ASSERT_EQ(outcomes_.size(), 2 * kDepth);
  EXPECT_EQ(std::ranges::count(outcomes_, Outcome::failed), 1);
  EXPECT_EQ(outcomes_[1], Outcome::failed);
}

TEST_F(EchoPipeline, AnotherConnectionsBytesFailOneMessage) {
  other_.emplace();
  client_.open(*other_, 4, 1);
  client_.begin(*other_);
  const Bytes theirs = take_sent(*other_);
  Bytes sent = ask_for_all();
  std::ranges::copy(theirs, sent.begin() + 64);
  answer(sent);
  EXPECT_THAT(outcomes_, testing::ElementsAre(Outcome::succeeded, Outcome::failed,
                                              Outcome::succeeded, Outcome::succeeded));
  EXPECT_EQ(errors_.total(), 1U);
}

class ShortEcho : public EchoPeer {
 protected:
  ShortEcho() : EchoPeer(2U) {}
};

TEST_F(ShortEcho, BytesTooManyDoNotHoldTheNextMessagesUp) {
  for (int message = 0; message < 20; ++message) {
    client_.begin(state_);
    const Bytes sent = take_sent(state_);
    const bool lie = message % 4 == 0;
    ASSERT_EQ(answer(lie ? sent + sent : sent), lie ? Outcome::failed : Outcome::succeeded)
        << message;
  }
  EXPECT_EQ(errors_.total(), 5U);
}

class LargeEcho : public EchoPeer {
 protected:
  LargeEcho() : EchoPeer(3U << 19) {}
};

TEST_F(LargeEcho, SaysThatMoreIsToBeSentThanOneSlice) {
  client_.begin(state_);
  EXPECT_TRUE(client_.outgoing(state_).continued());
  EXPECT_EQ(take_sent(state_).size(), pattern_.longest_slice());
  EXPECT_FALSE(client_.outgoing(state_).continued());
  EXPECT_EQ(take_sent(state_).size(), (3U << 19) - pattern_.longest_slice());
}

TEST_F(EchoPeer, BytesThatNobodyAskedForAndMoreOfThemWithTheAnswerAreOneError) {
  EXPECT_EQ(answer(Bytes(3, std::byte{0xee})), Outcome::more);
  client_.begin(state_);
  EXPECT_EQ(answer(Bytes(5, std::byte{0xee}) + take_sent(state_)), Outcome::failed);
  EXPECT_EQ(errors_.count(ErrorKind::extra), 1U);
  EXPECT_EQ(errors_.total(), 1U);
}

class EchoDistribution : public EchoPeer {
 protected:
  EchoDistribution() : EchoPeer(*MessageSizes::parse("1-300*3,2KiB,128KiB"), 8) {}
};

TEST_F(EchoDistribution, MessagesOfManySizesAllVerify) {
  std::mt19937 random(1);
  std::size_t begun = 0;
  while (begun < 400) {
    for (int i = 0; i < 8; ++i, ++begun) client_.begin(state_);
    Bytes sent;
    while (client_.outgoing(state_).size() != 0) {
      const Bytes part = take_sent(state_);
      sent.insert(sent.end(), part.begin(), part.end());
    }
    answer(sent, 1 + random() % 5000);
  }
  EXPECT_EQ(errors_.total(), 0U);
  EXPECT_EQ(outcomes_.size(), begun);
  EXPECT_THAT(outcomes_, testing::Each(Outcome::succeeded));
}

TEST_F(EchoDistribution, AWrongByteIsNamedByItsMessageAndItsPlaceThere) {
  const MessageSizes sizes = *MessageSizes::parse("1-300*3,2KiB,128KiB");
  for (int i = 0; i < 3; ++i) client_.begin(state_);
  Bytes sent;
  while (client_.outgoing(state_).size() != 0) {
    const Bytes part = take_sent(state_);
    sent.insert(sent.end(), part.begin(), part.end());
  }
  const std::size_t first = sizes.size(17, 0);
  const std::size_t place = sizes.size(17, 1) / 2;
  sent[first + place] ^= std::byte{1};
  answer(sent);
  EXPECT_EQ(errors_.total(), 1U);
  EXPECT_THAT(errors_.first(ErrorKind::corrupt),
              HasSubstr(fmt::format("message 1, byte {}:", place)));
}

class EchoSizes : public EchoPeer, public testing::WithParamInterface<std::uint32_t> {
 protected:
  EchoSizes() : EchoPeer(GetParam()) {}
};

TEST_P(EchoSizes, RandomFragmentsOfManyMessagesAllVerify) {
  std::mt19937 random(GetParam());
  for (int message = 0; message < 20; ++message) {
    client_.begin(state_);
    const Bytes sent = take_sent(state_);
    ASSERT_EQ(sent.size(), GetParam());
    const std::size_t step = 1 + random() % std::min<std::size_t>(sent.size(), 65536);
    ASSERT_EQ(answer(sent, step), Outcome::succeeded) << "message " << message;
  }
  EXPECT_EQ(errors_.total(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EchoSizes,
                         testing::Values(1U, 2U, 7U, 64U, 1000U, 16384U, 65536U, 1048576U));

}  // namespace
}  // namespace muxbench::loadgen
