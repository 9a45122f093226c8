#include "cli/progress.h"

#include <gtest/gtest.h>

namespace muxbench {
namespace {

TEST(CutToColumns, CountsCharactersAndNotBytes) {
  EXPECT_EQ(cut_to_columns("abcdef", 4), "abcd");
  EXPECT_EQ(cut_to_columns("abcd", 4), "abcd");
  EXPECT_EQ(cut_to_columns("9 µs and more", 4), "9 µs");
  EXPECT_EQ(cut_to_columns("", 4), "");
}

}  // namespace
}  // namespace muxbench
