#include "client/pattern.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <set>

namespace muxbench::loadgen {
namespace {

TEST(Pattern, EverySliceIsContiguousAcrossTheEnd) {
  const Pattern pattern(65536);
  const std::uint32_t last = pattern.period() - 1;
  EXPECT_EQ(*(pattern.at(last) + 1), *pattern.at(0));
  EXPECT_EQ(std::memcmp(pattern.at(last) + 1, pattern.at(0), 65535), 0);
}

TEST(Pattern, PeriodExceedsTheLongestMessage) {
  EXPECT_GT(Pattern(1024 * 1024).period(), 1024U * 1024U);
  EXPECT_LT(Pattern(65536).period(), 300'000U) << "a small table stays in the cache";
}

TEST(Pattern, EightBytesTellWhereTheyBelong) {
  const Pattern pattern(65536);
  std::set<std::uint64_t> words;
  for (std::uint32_t offset = 0; offset < pattern.period(); ++offset) {
    std::uint64_t word = 0;
    std::memcpy(&word, pattern.at(offset), sizeof word);
    words.insert(word);
  }
  EXPECT_EQ(words.size(), pattern.period());
  for (const std::uint32_t offset : {0U, 1U, 12'345U, pattern.period() - 3}) {
    EXPECT_EQ(pattern.find({pattern.at(offset), 8}), offset);
  }
}

TEST(Pattern, FindsNothingThatIsNotThere) {
  const Pattern pattern(65536);
  const std::byte zeros[8] = {};
  EXPECT_EQ(pattern.find(zeros), std::nullopt);
}

TEST(Pattern, StepAgreesWithAdvance) {
  const Pattern pattern(65536);
  for (const std::uint32_t offset : {0U, 77U, pattern.period() - 1}) {
    for (const std::size_t by : {0UL, 1UL, 64UL, 65536UL}) {
      EXPECT_EQ(pattern.step(offset, by), pattern.advance(offset, by));
    }
  }
}

TEST(Pattern, ConnectionsAndTheirIncarnationsStartApart) {
  const Pattern pattern(65536);
  std::set<std::uint32_t> starts;
  for (std::uint32_t connection = 0; connection < 100; ++connection) {
    for (std::uint32_t incarnation = 1; incarnation <= 3; ++incarnation) {
      starts.insert(pattern.start_of(connection, incarnation));
    }
  }
  EXPECT_GT(starts.size(), 295U);
}

TEST(Pattern, PrintableHoldsVisibleCharactersOnly) {
  const Pattern pattern(65536, Pattern::Alphabet::printable);
  for (std::uint32_t offset = 0; offset < pattern.period(); ++offset) {
    ASSERT_TRUE(std::isgraph(static_cast<unsigned char>(*pattern.at(offset)))) << offset;
  }
}

}  // namespace
}  // namespace muxbench::loadgen
