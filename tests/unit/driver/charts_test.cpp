#include "run/charts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench {
namespace {

TEST(FindDrawingPython, IsTheFirstThatCanImportWhatChartsTake) {
  EXPECT_EQ(find_drawing_python({"", "/bin/false", "/bin/true"}), "/bin/true");
  EXPECT_EQ(find_drawing_python({"/bin/true", "/bin/echo"}), "/bin/true");
  EXPECT_EQ(find_drawing_python({"", "/bin/false", "/no/such/python"}), "");
}

TEST(RunPrograms, GivesHowEachEnded) {
  const auto ended = run_programs({{"/bin/sh", "-c", "echo one; echo two >&2; exit 3"},
                                   {"/bin/sh", "-c", "kill -SEGV $$"},
                                   {"/no/such/program"}});
  EXPECT_EQ(ended[0].status, 3);
  EXPECT_EQ(ended[0].output, "one\n");
  EXPECT_EQ(ended[0].errors, "two");
  EXPECT_EQ(ended[1].status, 128 + 11);
  EXPECT_EQ(ended[2].status, 1);
  EXPECT_THAT(ended[2].errors, testing::HasSubstr("cannot start /no/such/program"));
}

}  // namespace
}  // namespace muxbench
