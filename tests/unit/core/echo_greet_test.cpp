#include "protocol/greet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conversation.h"

namespace muxbench {
namespace {

const std::string kHello(Greet::kGreeting);

TEST(Greet, SpeaksFirst) {
  const Transcript transcript = converse(Greet{}, {{}, false});
  EXPECT_EQ(transcript.output, kHello);
  EXPECT_FALSE(transcript.closed);
}

TEST(Greet, EchoesOneLineAndCloses) {
  const Transcript transcript = converse(Greet{}, {{"hel", "lo\r\n"}, false});
  EXPECT_EQ(transcript.output, kHello + "hello\r\n");
  EXPECT_TRUE(transcript.closed);
  EXPECT_FALSE(transcript.half_closed);
}

TEST(Greet, EchoesOnlyOneLine) {
  const Transcript transcript = converse(Greet{}, {{"hello\nmore\n"}});
  EXPECT_EQ(transcript.output, kHello + "hello\n");
  EXPECT_TRUE(transcript.half_closed) << "what else was sent must not reset the answer";
}

TEST(Greet, CutsALineThatIsTooLong) {
  const std::string line(Greet::kLongestLine + 1000, 'a');
  for (const std::size_t at : {line.size(), Greet::kLongestLine, Greet::kLongestLine + 1,
                               Greet::kLongestLine - 1, std::size_t{1}}) {
    const std::string_view text = line;
    const Transcript transcript = converse(Greet{}, {{text.substr(0, at), text.substr(at), "\n"}});
    EXPECT_EQ(transcript.output, kHello + line.substr(0, Greet::kLongestLine)) << at;
    EXPECT_TRUE(transcript.half_closed) << "the rest of the line is still on its way";
  }
}

TEST(Greet, TheLongestLineIsWhole) {
  std::string line(Greet::kLongestLine - 1, 'a');
  line += '\n';
  const Transcript transcript = converse(Greet{}, {{line}, false});
  EXPECT_EQ(transcript.output, kHello + line);
  EXPECT_FALSE(transcript.half_closed);
}

TEST(Greet, TakesWhatCameBeforeTheGreetingWasSent) {
  SessionContext context{.protocol = Greet{}};
  Session session(context);
  ASSERT_TRUE(session.wants_write());
  const auto lease = session.lease_read();
  ASSERT_FALSE(lease.empty()) << "a completion model reads beside its first write";
  std::memcpy(lease.data(), "hi\n", 3);
  session.on_read(3);
  EXPECT_EQ(first_bytes(session.write_buffers(), kUnlimited), kHello);
  session.on_written(kHello.size());
  EXPECT_EQ(first_bytes(session.write_buffers(), kUnlimited), "hi\n");
}

TEST(Echo, ReturnsEveryByteValue) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(converse(Echo{}, {{all}, false}).output, all);
}

TEST(Echo, TakesMoreThanABuffer) {
  const std::string large(200'000, 'e');
  EXPECT_EQ(converse(Echo{}, {{large}, true, 1000}).output, large);
}

}  // namespace
}  // namespace muxbench
