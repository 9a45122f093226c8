#include "client/greet_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench::loadgen {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class Greet : public testing::Test {
 protected:
  explicit Greet(std::uint32_t line_bytes = 64) : client_(pattern_, line_bytes, errors_) {
    client_.open(state_, 17, 42);
  }

  std::string take_line(std::size_t limit = SIZE_MAX) {
    std::string line;
    const Outgoing out = client_.outgoing(state_);
    for (const iovec& piece : out.pieces()) {
      const std::size_t size = std::min(piece.iov_len, limit - line.size());
      line.append(static_cast<const char*>(piece.iov_base), size);
    }
    client_.sent(state_, line.size());
    return line;
  }

  Outcome answer(std::string_view text, std::size_t step = SIZE_MAX) {
    Outcome last = Outcome::more;
    while (!text.empty() && last == Outcome::more) {
      const std::string_view read = text.substr(0, step);
      text.remove_prefix(read.size());
      last = client_.receive(state_, bytes_of(read)).outcome;
    }
    return last;
  }

  Pattern pattern_{1 << 20, Pattern::Alphabet::printable};
  ErrorLog errors_;
  GreetClient client_;
  GreetClient::State state_;
};

TEST_F(Greet, TheLineFollowsTheCompleteGreeting) {
  EXPECT_EQ(answer("Hello World!\r"), Outcome::more);
  EXPECT_EQ(client_.outgoing(state_).size(), 0U);
  EXPECT_EQ(answer("\n"), Outcome::more);
  const std::string line = take_line();
  EXPECT_EQ(line.size(), 64U);
  EXPECT_THAT(line, StartsWith("17 42 "));
  EXPECT_THAT(line, EndsWith("\r\n"));
  EXPECT_EQ(line.find_first_of("\r\n"), 62U) << "one line";
  EXPECT_EQ(client_.outgoing(state_).size(), 0U);
}

TEST_F(Greet, TheExchangeIsRightHoweverItIsCut) {
  for (std::size_t step = 1; step <= 64; ++step) {
    client_.open(state_, 17, static_cast<std::uint32_t>(step));
    EXPECT_EQ(answer(GreetClient::kGreeting, step), Outcome::more);
    std::string line;
    while (client_.outgoing(state_).size() != 0) line += take_line(step);
    ASSERT_EQ(line.size(), 64U) << "short sends of " << step;
    EXPECT_EQ(answer(line, step), Outcome::more);
    EXPECT_EQ(client_.end_of_stream(state_), Outcome::finished);
  }
  EXPECT_EQ(errors_.total(), 0U);
}

TEST_F(Greet, AnEarlyEndIsNotRight) {
  EXPECT_EQ(client_.end_of_stream(state_), Outcome::broken);
  answer(GreetClient::kGreeting);
  std::string line = take_line();
  line.pop_back();
  answer(line);
  EXPECT_EQ(client_.end_of_stream(state_), Outcome::broken);
  EXPECT_THAT(client_.progress(state_), HasSubstr("63 of 64 bytes of the line"));
}

TEST_F(Greet, AWrongByteIsCorruptWhereverItIs) {
  for (std::size_t at = 0; at < 14 + 64; ++at) {
    client_.open(state_, 17, 1);
    std::string greeting(GreetClient::kGreeting);
    if (at < greeting.size()) {
      greeting[at] = '\x01';
      EXPECT_EQ(answer(greeting), Outcome::broken) << at;
      continue;
    }
    answer(greeting);
    std::string line = take_line();
    line[at - greeting.size()] = '\x01';
    EXPECT_EQ(answer(line), Outcome::broken) << at;
  }
  EXPECT_EQ(errors_.count(ErrorKind::corrupt), 14U + 64U);
  EXPECT_THAT(errors_.first(ErrorKind::corrupt), HasSubstr("connection 17, exchange 1"));
}

TEST_F(Greet, BytesAfterTheLineAreExtra) {
  answer(GreetClient::kGreeting);
  EXPECT_EQ(answer(take_line() + "x"), Outcome::broken);
  EXPECT_EQ(errors_.count(ErrorKind::extra), 1U);
}

class GreetSizes : public Greet, public testing::WithParamInterface<std::uint32_t> {
 protected:
  GreetSizes() : Greet(GetParam()) {}
};

TEST_P(GreetSizes, EveryLengthIsALine) {
  answer(GreetClient::kGreeting);
  const std::string line = take_line();
  EXPECT_EQ(line.size(), GetParam());
  EXPECT_THAT(line, EndsWith("\r\n"));
  EXPECT_EQ(answer(line), Outcome::more);
  EXPECT_EQ(client_.end_of_stream(state_), Outcome::finished);
}

INSTANTIATE_TEST_SUITE_P(Sizes, GreetSizes, testing::Values(3U, 4U, 8U, 9U, 64U, 4096U, 1048576U));

}  // namespace
}  // namespace muxbench::loadgen
