#include "plan/external_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muxbench {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

class ExternalServer : public testing::Test {
 protected:
  ExternalServer() { std::filesystem::create_directories(folder_); }
  ~ExternalServer() override { std::filesystem::remove_all(folder_); }

  std::string entry(const std::string& text, const std::string& name = "entry.json") const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string mistake_in(const std::string& text) const {
    const auto read = external_server(entry(text));
    return read ? "none" : read.error().message;
  }

  std::string folder_ = testing::TempDir() + "external server's";
};

TEST_F(ExternalServer, IsNamedWithItsCommand) {
  const auto echo = external_server("theirs=serve --port {port} a=b:c");
  ASSERT_TRUE(echo);
  EXPECT_TRUE(echo->external);
  EXPECT_EQ(echo->name, "theirs");
  EXPECT_THAT(echo->command, ElementsAre("serve", "--port", "{port}", "a=b:c"));
  EXPECT_EQ(echo->mechanism, "serve --port {port} a=b:c");
  EXPECT_THAT(echo->capabilities.protocols, ElementsAre("echo"));
  EXPECT_THAT(external_server("theirs:http=serve {port} {root}")->capabilities.protocols,
              ElementsAre("http"));
}

TEST_F(ExternalServer, AnEntryTellsTheSame) {
  const auto http = external_server(
      entry(R"({"name": "theirs", "protocol": "http", "command": "serve {port} {root}"})"));
  ASSERT_TRUE(http) << http.error().message;
  EXPECT_TRUE(http->external);
  EXPECT_EQ(http->name, "theirs");
  EXPECT_THAT(http->command, ElementsAre("serve", "{port}", "{root}"));
  EXPECT_THAT(http->capabilities.protocols, ElementsAre("http"));
  const auto echo = external_server(entry(R"({"name": "theirs", "command": "serve {port}"})"));
  ASSERT_TRUE(echo) << echo.error().message;
  EXPECT_THAT(echo->capabilities.protocols, ElementsAre("echo"));
}

TEST_F(ExternalServer, ACommandIsTakenApartAsAShellWouldButByNone) {
  const auto words_of = [](const std::string& text) {
    const auto server = external_server("theirs=" + text);
    return server ? server->command : std::vector<std::string>{};
  };
  EXPECT_THAT(words_of("  a\t{port}\n b "), ElementsAre("a", "{port}", "b"));
  EXPECT_THAT(words_of("a 'b  \"c' \"d 'e\" {port}"), ElementsAre("a", "b  \"c", "d 'e", "{port}"));
  EXPECT_THAT(words_of("a\\ b \"c\\\"d\" 'e\\' '' {port}"),
              ElementsAre("a b", "c\"d", "e\\", "", "{port}"));
  EXPECT_THAT(words_of("a {port}; $(touch b) `c` | d > e & ~ * $HOME"),
              ElementsAre("a", "{port};", "$(touch", "b)", "`c`", "|", "d", ">", "e", "&", "~", "*",
                          "$HOME"));
  EXPECT_THAT(words_of("a {port} 'b"), IsEmpty());
}

TEST_F(ExternalServer, AnEntrysFolderIsOneWord) {
  const auto server =
      external_server(entry(R"({"name": "theirs", "command": "{folder}/a {port} {folder}"})"));
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_THAT(server->command, ElementsAre(folder_ + "/a", "{port}", folder_));
}

TEST_F(ExternalServer, AnEntryInTheCurrentFolderHasThatFolder) {
  const auto before = std::filesystem::current_path();
  entry(R"({"name": "theirs", "command": "{folder}/a {port}"})");
  std::filesystem::current_path(folder_);
  const auto server = external_server("entry.json");
  std::filesystem::current_path(before);
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_THAT(server->command, ElementsAre("./a", "{port}"));
}

TEST_F(ExternalServer, WhatIsWrongWithAnEntryIsSaid) {
  EXPECT_THAT(mistake_in(R"({"command": "x {port}"})"),
              EndsWith("entry.json: name: expected a text, found no such key"));
  EXPECT_THAT(mistake_in(R"({"name": "Big", "command": "x {port}"})"),
              EndsWith("name: expected lower-case letters, digits and underscores, found \"Big\""));
  EXPECT_THAT(mistake_in(R"({"name": "x", "command": "x"})"),
              EndsWith("command: expected a command with {port} where its port belongs, found "
                       "\"x\""));
  EXPECT_THAT(mistake_in(R"({"name": "x", "command": "x {port}", "protocol": "ftp"})"),
              EndsWith("protocol: expected \"echo\" or \"http\", found \"ftp\""));
  EXPECT_THAT(mistake_in(R"({"name": "x", "command": "x {port}", "port": 1})"),
              EndsWith("port: expected one of the keys command, name, protocol, found a key that "
                       "nothing reads"));
  EXPECT_THAT(mistake_in("[]"), EndsWith("entry.json: expected an object, found []"));
  const auto absent = external_server(folder_ + "/absent.json");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message,
            "cannot read " + folder_ + "/absent.json; check that it is a file that you may read");
}

}  // namespace
}  // namespace muxbench
