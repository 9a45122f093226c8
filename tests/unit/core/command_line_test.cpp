// What the programs say of a command line: help for people, and one sentence for each mistake.
#include "command_line/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/format.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Values {
  std::uint64_t seed = 0;
  unsigned rounds = 1;
  double share = 0.5;
  std::string method;
  std::string folder;
  std::vector<std::string> names;
  bool charts = true;
};

// A program with an option of each kind.
struct Program {
  CLI::App app{"Does nothing.", "prog"};
  Values values;

  Program() {
    set_up_help(app);
    app.add_option("--seed", values.seed,
                   "Seed of what is random, in words that take more than one line "
                   "of a terminal of the usual width")
        ->check(whole_number(0));
    app.add_option("--rounds", values.rounds, "Rounds")->check(whole_number(1, 1000))->required();
    app.add_option("--share", values.share, "Share")->check(number(0.1, 50));
    app.add_option("--method", values.method, "Method")->check(one_of({"a", "b", "c"}));
    app.add_option("--folder", values.folder, "Folder")->check(folder());
    app.add_option("NAME", values.names, "Names");
    app.add_flag("!--no-charts", values.charts, "Draw nothing");
    name_values(app, {{"N", {"--seed", "--rounds"}}, {"METHOD", {"--method"}}});
  }

  std::string complaint(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    try {
      app.parse(words);
    } catch (const CLI::ParseError& error) {
      const Error told = command_line_error(error, "prog");
      EXPECT_EQ(told.exit, Exit::usage);
      return told.message;
    }
    return "";
  }
};

TEST(CommandLine, HelpNamesValuesAndNoTypes) {
  const std::string help = Program().app.help();
  EXPECT_THAT(help, HasSubstr("\n  --rounds N (required)       Rounds\n"));
  EXPECT_THAT(help, HasSubstr("\n  --method METHOD             Method\n"));
  EXPECT_THAT(help, HasSubstr("\n  --no-charts                 Draw nothing\n"));
  EXPECT_THAT(help, HasSubstr("\n  NAME...                     Names\n"));
  for (const char* jargon : {"UINT", "[1 - ", "{false}", "REQUIRED", " x "}) {
    EXPECT_THAT(help, Not(HasSubstr(jargon)));
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(CommandLine, EveryMistakeIsASentence) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "--rounds is required; prog --help lists the options"},
      {{"--rounds", "0"}, "--rounds must be a whole number from 1 to 1,000, not \"0\""},
      {{"--rounds", "many"}, "--rounds must be a whole number from 1 to 1,000, not \"many\""},
      {{"--rounds", "-1"}, "--rounds must be a whole number from 1 to 1,000, not \"-1\""},
      {{"--rounds", "1", "--seed", "1.5"}, "--seed must be a whole number, 0 or more, not \"1.5\""},
      {{"--rounds", "1", "--share", "99"}, "--share must be a number from 0.1 to 50, not \"99\""},
      {{"--rounds", "1", "--method", "d"}, "--method must be a, b or c, not \"d\""},
      {{"--rounds", "1", "--folder", "/no/such"},
       "--folder must be a folder, and \"/no/such\" is none"},
      {{"--rounds", "1", "--faster"}, "there is no option --faster; prog --help lists the options"},
      {{"--rounds", "1", "--faster=9"},
       "there is no option --faster=9; prog --help lists the options"},
      {{"--rounds"}, "--rounds needs a value; prog --help lists the options"},
  };
  for (const auto& [words, said] : cases) EXPECT_EQ(Program().complaint(words), said);
  EXPECT_EQ(Program().complaint({"--rounds", "1000", "--seed", "18446744073709551615"}), "");
}

TEST(CommandLine, AMistakeIsOneLineThoughItsValueHasTwo) {
  EXPECT_THAT(Program().complaint({"--rounds", "1", "--folder", "no\nsuch"}), HasSubstr("no such"));
}

TEST(CommandLine, RangesAreWrittenForPeople) {
  EXPECT_EQ(format_range(1, 1024), "from 1 to 1,024");
  EXPECT_EQ(format_range(0, 1'000'000), "from 0 to 1,000,000");
  EXPECT_EQ(format_range(1, UINT64_MAX), "1 or more");
  EXPECT_EQ(format_range(2, INT64_MAX), "2 or more");
}

}  // namespace
}  // namespace muxbench
