#include "engine/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench::loadgen {
namespace {

using testing::HasSubstr;

Options closed_loop() { return {}; }

Options open_loop() {
  Options options;
  options.rate = 1'000;
  return options;
}

TEST(Commands, AreWordsInALine) {
  EXPECT_EQ(parse_command("go", closed_loop())->kind, Command::Kind::go);
  EXPECT_EQ(parse_command(" end\r", closed_loop())->kind, Command::Kind::end);
  const auto slice = parse_command("slice 1000000  5000000", closed_loop());
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->kind, Command::Kind::slice);
  EXPECT_EQ(slice->warmup, std::chrono::milliseconds(1));
  EXPECT_EQ(slice->duration, std::chrono::milliseconds(5));
  EXPECT_EQ(slice->rate, 0U);
}

TEST(Commands, ASliceOfAnOpenLoopMayHaveARateOfItsOwn) {
  EXPECT_EQ(parse_command("slice 0 1", open_loop())->rate, 1'000U);
  EXPECT_EQ(parse_command("slice 0 1 50", open_loop())->rate, 50U);
  EXPECT_THAT(parse_command("slice 0 1 50", closed_loop()).error().message,
              HasSubstr("add --rate"));
}

TEST(Commands, EverythingElseIsAUsageError) {
  for (const char* line : {"", " ", "stop", "go go", "end now", "slice", "slice 1", "slice 1 0",
                           "slice 1 2 3 4", "slice 1 2x", "slice 1 -2", "slice 1 2 0",
                           "slice 18446744073709551616 1", "slice 1 3600000000001"}) {
    const auto command = parse_command(line, open_loop());
    ASSERT_FALSE(command) << line;
    EXPECT_EQ(command.error().exit, Exit::usage) << line;
    EXPECT_THAT(command.error().message, HasSubstr("send")) << line;
  }
}

TEST(Commands, SlicesLastATimeAndNotSoManyRequests) {
  Options options;
  options.requests = 5;
  EXPECT_THAT(parse_command("slice 0 1", options).error().message, HasSubstr("--requests"));
}

}  // namespace
}  // namespace muxbench::loadgen
