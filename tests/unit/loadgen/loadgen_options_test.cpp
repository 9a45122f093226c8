#include "options/parse_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxbench::loadgen {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

Result<CommandLine> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "loadgen");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, DefaultsAreThoseOfTheHelp) {
  const auto line = parse({"--target", "127.0.0.1:80"});
  ASSERT_TRUE(line.ok()) << line.error().message;
  const Options& options = line->options;
  EXPECT_EQ(options.protocol, ProtocolKind::echo);
  EXPECT_EQ(options.connections, 64U);
  EXPECT_EQ(options.threads, 1U);
  EXPECT_EQ(options.message_bytes.fixed(), 64U);
  EXPECT_EQ(options.duration, std::chrono::seconds(10));
  EXPECT_FALSE(options.cpus.empty()) << "those of the affinity mask";
}

TEST(Options, ReadsNumbersWithUnits) {
  const auto line = parse({"--target", "unix:/tmp/x", "--connections", "8k", "--message-bytes",
                           "1MiB", "--warmup", "300ms", "--timeout", "1.5s"});
  ASSERT_TRUE(line.ok()) << line.error().message;
  EXPECT_EQ(line->options.connections, 8000U);
  EXPECT_EQ(line->options.message_bytes.fixed(), 1048576U);
  EXPECT_EQ(line->options.warmup, milliseconds(300));
  EXPECT_EQ(line->options.timeout, milliseconds(1500));
}

TEST(Options, PathsRepeatAndHaveADefault) {
  const auto some =
      parse({"--target", "[::1]:80", "--protocol", "http", "--path", "/a", "--path", "/b?c"});
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_THAT(some->options.paths, ElementsAre("/a", "/b?c"));
  EXPECT_THAT(parse({"--target", "[::1]:80", "--protocol", "http"})->options.paths,
              ElementsAre("/"));
}

TEST(Options, HelpAndVersionAreTexts) {
  EXPECT_THAT(*parse({"--help"})->text, HasSubstr("--message-bytes"));
  EXPECT_THAT(*parse({"--version"})->text, testing::StartsWith("loadgen "));
}

struct Refusal {
  std::vector<const char*> arguments;
  const char* sentence;

  friend void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.sentence; }
};

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, AreOneSentenceAndExitStatusTwo) {
  const auto line = parse(GetParam().arguments);
  ASSERT_FALSE(line.ok());
  EXPECT_EQ(line.error().exit, Exit::usage);
  EXPECT_THAT(line.error().message, HasSubstr(GetParam().sentence));
  EXPECT_EQ(line.error().message.find('\n'), std::string::npos) << line.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    testing::Values(
        Refusal{{}, "--target is required"}, Refusal{{"--target", "nonsense"}, "not an address"},
        Refusal{{"--target", "10.1.2.3:80"}, "--allow-remote"},
        Refusal{{"--target", "127.0.0.1:1", "--bogus"}, "--bogus"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "ftp"}, "echo, greet or http"},
        Refusal{{"--target", "127.0.0.1:1", "--connections", "0"}, "--connections must be from 1"},
        Refusal{{"--target", "127.0.0.1:1", "--connections", "x"}, "not a whole number"},
        Refusal{{"--target", "127.0.0.1:1", "--threads", "65"}, "65 threads cannot share 64"},
        Refusal{{"--target", "127.0.0.1:1", "--message-bytes", "2MiB"}, "from 1 B to 1 MiB"},
        Refusal{{"--target", "127.0.0.1:1", "--duration", "10"}, "not a duration"},
        Refusal{{"--target", "127.0.0.1:1", "--duration", "0"}, "longer than 0"},
        Refusal{{"--target", "127.0.0.1:1", "--duration", "1s", "--requests", "5"}, "not both"},
        Refusal{{"--target", "127.0.0.1:1", "--cpus", "1000"}, "CPU 1000 does not exist"},
        Refusal{{"--target", "127.0.0.1:1", "--cpus", "a"}, "not a list of CPUs"},
        Refusal{{"--target", "127.0.0.1:1", "--path", "/x"}, "belong to --protocol http"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "http", "--path", "x"}, "start with /"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "http", "--message-bytes", "9"},
                "does not apply"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "greet", "--message-bytes", "2"},
                "at least 3"},
        Refusal{{"--target", "127.0.0.1:1", "--rate", "0"}, "--rate must be from 1"},
        Refusal{{"--target", "127.0.0.1:1", "--rate", "10k,1G"}, "--rate"},
        Refusal{{"--target", "127.0.0.1:1", "--rate", "10k,"}, "--rate: \"\" is not"},
        Refusal{{"--target", "127.0.0.1:1", "--rate", ""}, "--rate: \"\" is not"},
        Refusal{{"--target", "127.0.0.1:1", "--threads", ""}, "--threads: \"\" is not"},
        Refusal{{"--target", "127.0.0.1:1", "--churn", "--closer", ""}, "not \"\""},
        Refusal{{"--target", "127.0.0.1:1", "--rate", "1", "--duration", "100ms"},
                "not one request within 100 ms"},
        Refusal{{"--target", "127.0.0.1:1", "--arrival", "poisson"}, "add --rate"},
        Refusal{{"--target", "127.0.0.1:1", "--max-lag", "1s"}, "add --rate"},
        Refusal{{"--target", "127.0.0.1:1", "--rate", "5", "--arrival", "bursty"},
                "uniform or poisson"},
        Refusal{{"--target", "127.0.0.1:1", "--closer", "client"}, "add --churn"},
        Refusal{{"--target", "127.0.0.1:1", "--churn", "--closer", "nobody"},
                "client, server or reset"},
        Refusal{{"--target", "127.0.0.1:1", "--churn", "--pipeline", "2"}, "leave out --churn"},
        Refusal{{"--target", "127.0.0.1:1", "--pipeline", "0"}, "--pipeline must be from 1"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "greet", "--churn"}, "anyway"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "greet", "--message-bytes", "8-64"},
                "takes one --message-bytes"},
        Refusal{{"--target", "127.0.0.1:1", "--message-bytes", "64-8"}, "not a message size"},
        Refusal{{"--target", "127.0.0.1:1", "--message-bytes", "64*0"}, "not a message size"},
        Refusal{{"--target", "127.0.0.1:1", "--connect-rate", "0"}, "--connect-rate must be"},
        Refusal{{"--target", "127.0.0.1:1", "--protocol", "http", "--path-file", "/nonexistent"},
                "one a line"}));

TEST(Options, StalledClientsAreNumberedAfterTheOthers) {
  const auto line = parse({"--target", "127.0.0.1:1", "--connections", "2", "--idle", "1",
                           "--stall-mid-message", "1", "--stall-trickle", "1"});
  ASSERT_TRUE(line.ok()) << line.error().message;
  EXPECT_EQ(line->options.background(), 3U);
  EXPECT_EQ(line->options.background_role(2), Role::idle);
  EXPECT_EQ(line->options.background_role(3), Role::mid_message);
  EXPECT_EQ(line->options.background_role(4), Role::trickle);
}

TEST(Options, RatesAreStepsOfAnOpenLoop) {
  const auto line = parse({"--target", "127.0.0.1:1", "--rate", "10k,20k", "--arrival", "poisson"});
  ASSERT_TRUE(line.ok()) << line.error().message;
  EXPECT_THAT(line->options.rates, ElementsAre(10'000U, 20'000U));
  EXPECT_EQ(line->options.arrival, Arrival::poisson);
  EXPECT_EQ(line->options.rate, 0U) << "each run sets its own";
}

}  // namespace
}  // namespace muxbench::loadgen
