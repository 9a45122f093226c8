// Each kind of deviation, with the stream cut in two at every point, and into single bytes: the
// finding must not depend on the cut.
#include "client/stream_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace muxbench::loadgen {

// For readable failures: "missing@64+8".
void PrintTo(const Deviation& found, std::ostream* out) {
  constexpr const char* kNames[] = {"corrupt",   "missing", "reordered",
                                    "duplicate", "foreign", "extra"};
  *out << kNames[static_cast<int>(found.kind)] << '@' << found.position << '+' << found.length;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kMessage = 64;
constexpr std::uint32_t kStart = 1'000;
constexpr std::uint32_t kOtherStart = 200'000;

const Pattern& pattern() {
  static const Pattern table(65536);
  return table;
}

Bytes stream(std::uint64_t from, std::uint64_t count, std::uint32_t start = kStart) {
  const std::byte* at = pattern().at(pattern().advance(start, from));
  return {at, at + count};
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes garbage(std::size_t count) { return Bytes(count, std::byte{0}); }

Bytes flip(Bytes bytes, std::size_t at) {
  bytes[at] ^= std::byte{0x10};
  return bytes;
}

struct Outcome {
  std::vector<Deviation> found;
  std::uint64_t reached = 0;
  bool lost = false;
};

// A closed loop as EchoClient drives it: the next message is asked for when one is complete.
Outcome play(const std::vector<Bytes>& reads, std::uint64_t message = kMessage) {
  VerifierContext context{
      .pattern = pattern(), .recent = 256, .owner_of = [](std::uint32_t offset) {
        const bool other = offset >= kOtherStart && offset < kOtherStart + 4096;
        return other ? std::optional<std::uint32_t>(12) : std::nullopt;
      }};
  StreamVerifier verifier(kStart);
  std::uint64_t asked = message;
  for (const Bytes& read : reads) {
    std::span<const std::byte> rest(read);
    while (!rest.empty() && !verifier.lost()) {
      rest = rest.subspan(verifier.examine(context, rest, asked, asked));
      if (verifier.reached() >= asked) asked += message;
    }
  }
  const Outcome before{.found = {}, .reached = verifier.reached(), .lost = verifier.lost()};
  verifier.finish(context, asked);
  return {context.found, before.reached, before.lost};
}

bool same(const Outcome& a, const Outcome& b) {
  return a.reached == b.reached && a.lost == b.lost &&
         std::ranges::equal(a.found, b.found, [](const Deviation& x, const Deviation& y) {
           return x.kind == y.kind && x.position == y.position && x.length == y.length &&
                  x.owner == y.owner;
         });
}

// Plays the bytes whole, cut at every point, and one by one; all must agree.
Outcome play_every_way(const Bytes& bytes, std::uint64_t message = kMessage) {
  const Outcome whole = play({bytes}, message);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(cut);
    const Outcome halves =
        play({Bytes(bytes.begin(), middle), Bytes(middle, bytes.end())}, message);
    EXPECT_TRUE(same(whole, halves))
        << "cut at " << cut << ": " << testing::PrintToString(halves.found) << " instead of "
        << testing::PrintToString(whole.found);
  }
  std::vector<Bytes> single;
  for (const std::byte byte : bytes) single.push_back({byte});
  const Outcome bytewise = play(single, message);
  EXPECT_TRUE(same(whole, bytewise)) << testing::PrintToString(bytewise.found) << " instead of "
                                     << testing::PrintToString(whole.found);
  return whole;
}

MATCHER_P3(Found, kind, position, length, "") {
  return arg.kind == kind && arg.position == static_cast<std::uint64_t>(position) &&
         arg.length == static_cast<std::uint64_t>(length);
}

TEST(StreamVerifier, RightBytesAreFine) {
  const Outcome outcome = play_every_way(stream(0, 3 * kMessage));
  EXPECT_THAT(outcome.found, IsEmpty());
  EXPECT_EQ(outcome.reached, 3 * kMessage);
}

TEST(StreamVerifier, AFlippedByteIsCorruptWhereverItIs) {
  for (std::size_t at = 0; at < 2 * kMessage; ++at) {
    const Outcome outcome = play_every_way(flip(stream(0, 3 * kMessage), at));
    EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::corrupt, at, 1))) << at;
    EXPECT_EQ(outcome.reached, 3 * kMessage);
    ASSERT_FALSE(outcome.found.empty());
    EXPECT_EQ(outcome.found[0].expected, stream(at, 1)[0]);
    EXPECT_EQ(outcome.found[0].got, flip(stream(at, 1), 0)[0]);
  }
}

TEST(StreamVerifier, EachRunOfWrongBytesCountsOnce) {
  Bytes bytes = stream(0, 3 * kMessage);
  for (const std::size_t at : {10U, 11U, 14U, 40U}) bytes = flip(bytes, at);
  EXPECT_THAT(play_every_way(bytes).found, ElementsAre(Found(DeviationKind::corrupt, 10, 2),
                                                       Found(DeviationKind::corrupt, 14, 1),
                                                       Found(DeviationKind::corrupt, 40, 1)));
}

TEST(StreamVerifier, AWholeMessageOfGarbageIsOneCorruption) {
  const Bytes bytes = stream(0, kMessage) + garbage(kMessage) + stream(2 * kMessage, kMessage);
  const Outcome outcome = play_every_way(bytes);
  EXPECT_EQ(outcome.reached, 3 * kMessage);
  ASSERT_FALSE(outcome.found.empty());
  EXPECT_THAT(outcome.found[0], Found(DeviationKind::corrupt, kMessage, outcome.found[0].length));
  EXPECT_LE(outcome.found.size(), 2U) << "a zero may be right by accident";
}

TEST(StreamVerifier, DroppedBytesAreMissingWhereverTheyWere) {
  for (std::uint64_t from = 0; from + 13 <= kMessage - 8; ++from) {
    const Bytes bytes = stream(0, from) + stream(from + 13, 2 * kMessage - from - 13);
    const Outcome outcome = play_every_way(bytes);
    EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::missing, from, 13))) << from;
    EXPECT_EQ(outcome.reached, 2 * kMessage) << "the stream goes on after the gap";
  }
}

TEST(StreamVerifier, BytesMissingNearTheEndAreDecidedAtTheEnd) {
  const Bytes bytes = stream(0, kMessage - 5) + stream(kMessage - 3, 3);
  const Outcome outcome = play_every_way(bytes);
  EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::missing, kMessage - 5, 2)));
}

TEST(StreamVerifier, ATruncatedMessageIsNotJudgedHere) {
  const Outcome outcome = play_every_way(stream(0, kMessage - 1));
  EXPECT_THAT(outcome.found, IsEmpty()) << "the bytes may be late; the timeout decides";
  EXPECT_EQ(outcome.reached, kMessage - 1);
}

TEST(StreamVerifier, AMessageThatComesTwiceIsADuplicate) {
  const Bytes bytes =
      stream(0, 2 * kMessage) + stream(kMessage, kMessage) + stream(2 * kMessage, kMessage);
  const Outcome outcome = play_every_way(bytes);
  EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::duplicate, 2 * kMessage, kMessage)));
  EXPECT_EQ(outcome.reached, 3 * kMessage);
}

TEST(StreamVerifier, AShortMessageThatComesTwiceIsADuplicate) {
  const Bytes bytes = stream(0, 8) + stream(4, 4) + stream(8, 8);
  EXPECT_THAT(play_every_way(bytes, 4).found, ElementsAre(Found(DeviationKind::duplicate, 8, 4)));
}

TEST(StreamVerifier, ARepetitionMayEndEarly) {
  const Bytes bytes = stream(0, 100) + stream(50, 20) + stream(100, 92);
  const Outcome outcome = play_every_way(bytes);
  EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::duplicate, 100, 50)));
  EXPECT_EQ(outcome.reached, 3 * kMessage);
}

TEST(StreamVerifier, SwappedHalvesAreReordered) {
  const Bytes bytes = stream(0, kMessage) + stream(kMessage + 32, 32) + stream(kMessage, 32) +
                      stream(2 * kMessage, kMessage);
  const Outcome outcome = play_every_way(bytes);
  ASSERT_EQ(outcome.found.size(), 1U) << testing::PrintToString(outcome.found);
  EXPECT_THAT(outcome.found[0], Found(DeviationKind::reordered, kMessage, 32));
  EXPECT_EQ(outcome.reached, 3 * kMessage);
}

TEST(StreamVerifier, SwappedBlocksInsideAMessageAreReordered) {
  const Bytes bytes = stream(0, 8) + stream(24, 16) + stream(8, 16) + stream(40, kMessage - 40) +
                      stream(kMessage, kMessage);
  const Outcome outcome = play_every_way(bytes);
  ASSERT_EQ(outcome.found.size(), 1U) << testing::PrintToString(outcome.found);
  EXPECT_EQ(outcome.found[0].kind, DeviationKind::reordered);
  EXPECT_EQ(outcome.reached, 2 * kMessage);
}

TEST(StreamVerifier, AnotherConnectionsMessageIsForeignAndItsOwnerNamed) {
  const Bytes bytes =
      stream(0, kMessage) + stream(0, kMessage, kOtherStart) + stream(2 * kMessage, kMessage);
  const Outcome outcome = play_every_way(bytes);
  EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::foreign, kMessage, kMessage)));
  EXPECT_EQ(outcome.found[0].owner, 12U);
  EXPECT_EQ(outcome.reached, 3 * kMessage);
}

TEST(StreamVerifier, ForeignBytesOfNobodyKnown) {
  const Bytes bytes = stream(0, 20) + stream(100'000, 20) + stream(40, 2 * kMessage - 40);
  const Outcome outcome = play_every_way(bytes);
  ASSERT_EQ(outcome.found.size(), 1U);
  EXPECT_EQ(outcome.found[0].kind, DeviationKind::foreign);
  EXPECT_EQ(outcome.found[0].owner, std::nullopt);
}

TEST(StreamVerifier, InsertedGarbageIsExtraWhereverItIs) {
  for (std::uint64_t at = 0; at <= kMessage - 8; ++at) {
    const Bytes bytes = stream(0, at) + Bytes(5, std::byte{0xee}) + stream(at, 2 * kMessage - at);
    const Outcome outcome = play_every_way(bytes);
    EXPECT_THAT(outcome.found, ElementsAre(testing::AnyOf(Found(DeviationKind::extra, at, 5),
                                                          Found(DeviationKind::extra, at + 1, 5))))
        << at;
    EXPECT_EQ(outcome.reached, 2 * kMessage);
  }
}

TEST(StreamVerifier, GarbageAfterAMessageIsExtra) {
  const Bytes bytes = stream(0, kMessage) + garbage(3) + stream(kMessage, kMessage);
  EXPECT_THAT(play_every_way(bytes).found, ElementsAre(Found(DeviationKind::extra, kMessage, 3)));
}

TEST(StreamVerifier, UnaskedBytesAreExtraAtTheEnd) {
  VerifierContext context{.pattern = pattern(), .recent = 256, .owner_of = [](std::uint32_t) {
                            return std::optional<std::uint32_t>();
                          }};
  StreamVerifier verifier(kStart);
  const Bytes bytes = garbage(3);
  EXPECT_EQ(verifier.examine(context, bytes, 0, std::numeric_limits<std::uint64_t>::max()), 3U);
  verifier.finish(context, 0);
  EXPECT_THAT(context.found, ElementsAre(Found(DeviationKind::extra, 0, 3)));
}

// Taken before anything is asked for, then the answer to a message.
std::vector<Deviation> taken_early(const Bytes& early, const Bytes& answer) {
  VerifierContext context{.pattern = pattern(), .recent = 256, .owner_of = [](std::uint32_t) {
                            return std::optional<std::uint32_t>();
                          }};
  StreamVerifier verifier(kStart);
  verifier.examine(context, early, 0, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(verifier.reached(), 0U);
  verifier.examine(context, answer, kMessage, kMessage);
  EXPECT_EQ(verifier.reached(), answer.size());
  verifier.finish(context, kMessage);
  return context.found;
}

TEST(StreamVerifier, BytesThatWereNotAskedForAreExtraWhateverTheyAre) {
  for (std::uint64_t count = 1; count <= 2 * kMessage; ++count) {
    for (const Bytes& early : {Bytes(count, std::byte{0xee}), stream(0, count)}) {
      const auto found = taken_early(early, stream(0, kMessage));
      ASSERT_EQ(found.size(), 1U) << count << testing::PrintToString(found);
      EXPECT_EQ(found[0].kind, DeviationKind::extra) << count;
    }
  }
}

TEST(StreamVerifier, WrongBytesAfterExtraOnesAreFoundToo) {
  const auto found = taken_early(garbage(3), flip(stream(0, kMessage), 5));
  EXPECT_THAT(found,
              ElementsAre(Found(DeviationKind::extra, 0, 3), Found(DeviationKind::corrupt, 5, 1)));
}

TEST(StreamVerifier, SeveralLiesAreCountedSeparately) {
  Bytes bytes = flip(stream(0, 20), 5) + stream(30, 98) + stream(64, 64) + stream(128, 64);
  const Outcome outcome = play_every_way(bytes);
  EXPECT_THAT(outcome.found, ElementsAre(Found(DeviationKind::corrupt, 5, 1),
                                         Found(DeviationKind::missing, 20, 10),
                                         Found(DeviationKind::duplicate, 128, 64)));
  EXPECT_EQ(outcome.reached, 192U);
}

TEST(StreamVerifier, EndlessGarbageIsLost) {
  const Outcome outcome = play_every_way(stream(0, 10) + garbage(1500), 4096);
  EXPECT_TRUE(outcome.lost);
  ASSERT_EQ(outcome.found.size(), 1U);
  EXPECT_EQ(outcome.found[0].kind, DeviationKind::corrupt);
}

TEST(StreamVerifier, TheFastPathAgrees) {
  StreamVerifier verifier(pattern().period() - 10);
  const Bytes right = stream(0, 64, pattern().period() - 10);
  EXPECT_TRUE(verifier.matches(pattern(), right));
  EXPECT_EQ(verifier.reached(), 64U);
  EXPECT_EQ(verifier.cursor(), 54U) << "wrapped";
  EXPECT_FALSE(verifier.matches(pattern(), right));
  EXPECT_EQ(verifier.reached(), 64U) << "a mismatch takes nothing";
}

}  // namespace
}  // namespace muxbench::loadgen
