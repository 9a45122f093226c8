#include "plan/models.h"
#include "plan/name_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/external_server.h"

namespace muxbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kNames{"epoll_edge", "epoll_level", "poll", "select"};

TEST(ParseDescription, ReadsCapabilities) {
  const Model model = parse_description(
      R"({"name":"kqueue","family":"readiness","mechanism":"kevent","available":true,
          "capabilities":{"concurrent":false,"workers":true,"max_connections":1019,
          "protocols":["echo","http"],"transports":["tcp","unix"]},"features":{"shim":true}})",
      "server_kqueue");
  EXPECT_TRUE(model.available);
  EXPECT_EQ(model.mechanism, "kevent");
  EXPECT_FALSE(model.capabilities.concurrent);
  EXPECT_TRUE(model.capabilities.workers);
  EXPECT_EQ(model.capabilities.max_connections, 1019U);
  EXPECT_THAT(model.capabilities.protocols, ElementsAre("echo", "http"));
  EXPECT_TRUE(model.description.at("features").at("shim").get<bool>());
}

TEST(ParseDescription, NullMeansNoLimit) {
  const Model model = parse_description(
      R"({"name":"x","available":true,"capabilities":{"max_connections":null}})", "server_x");
  EXPECT_TRUE(model.available);
  EXPECT_FALSE(model.capabilities.max_connections.has_value());
}

TEST(ParseDescription, RubbishIsAnUnavailableModelWithAReason) {
  for (const char* text : {"", "hello", "[]", "{}", R"({"name":"x"})", R"({"name":7})",
                           R"({"name":"x","available":"yes"})",
                           R"({"name":"x","available":true,"capabilities":{"protocols":5}})"}) {
    const Model model = parse_description(text, "server_x");
    EXPECT_FALSE(model.available) << text;
    EXPECT_EQ(model.name, "x") << text;
    EXPECT_THAT(model.reason, HasSubstr("--describe")) << text;
  }
}

TEST(ParseDescription, TheNameMustBeTheFiles) {
  const Model model = parse_description(R"({"name":"y","available":true})", "server_x");
  EXPECT_FALSE(model.available);
  EXPECT_THAT(model.reason, HasSubstr("must be called server_y"));
}

TEST(ProgramOf, OfAnExternalModelIsTheFirstWordOfItsCommand) {
  const auto program = [](const std::string& command) {
    return program_of(*external_server("theirs=" + command + " {port}"));
  };
  EXPECT_EQ(program("/bin/sh server.sh"), "/bin/sh");
  EXPECT_TRUE(program("sh server.sh").ends_with("/sh"));
  EXPECT_EQ(program("'/bin/sh' server.sh"), "/bin/sh");
  for (const char* unknown : {"no_such_program", "PORT=1 sh", "$SHELL -c", "~/server"}) {
    EXPECT_EQ(program(unknown), "") << unknown;
  }
}

TEST(SelectNames, TakesListsAndGlobs) {
  EXPECT_THAT(*select_names(kNames, "*", "model"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(*select_names(kNames, "select,epoll_*", "model"), ElementsAre(0, 1, 3));
  EXPECT_THAT(*select_names(kNames, "poll", "model"), ElementsAre(2));
}

TEST(SelectNames, NamesTheCloseOnes) {
  EXPECT_EQ(select_names(kNames, "epol_level", "model").error().message,
            "there is no model \"epol_level\"; did you mean epoll_level");
  EXPECT_THAT(select_names(kNames, "epoll", "model").error().message,
              HasSubstr("did you mean epoll_edge, epoll_level, poll"));
  EXPECT_THAT(select_names(kNames, "kqueue_batched", "model").error().message,
              HasSubstr("there are epoll_edge, epoll_level, poll, select"));
  EXPECT_THAT(select_names(kNames, "select,x*", "model").error().message, HasSubstr("\"x*\""));
  EXPECT_FALSE(select_names(kNames, "", "model").ok());
}

}  // namespace
}  // namespace muxbench
