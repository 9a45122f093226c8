#include "system/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

namespace muxbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

ChildProcess shell(const std::string& script) {
  auto child = ChildProcess::start({.command = {"/bin/sh", "-c", script}});
  EXPECT_TRUE(child.ok());
  return std::move(*child);
}

TEST(ChildProcess, ReadsLinesAndStatus) {
  auto child = shell("echo one; printf 'two\\nrest'; exit 3");
  std::string line;
  const auto deadline = Clock::now() + seconds(120);
  EXPECT_EQ(child.read_line(line, deadline), Wait::line);
  EXPECT_EQ(line, "one");
  EXPECT_EQ(child.read_line(line, deadline), Wait::line);
  EXPECT_EQ(line, "two");
  EXPECT_EQ(child.read_line(line, deadline), Wait::end_of_output);
  EXPECT_EQ(line, "rest");
  const auto status = child.wait_until(deadline);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(describe_status(*status), "exited with status 3");
}

TEST(ChildProcess, SaysWhatKilledIt) {
  auto child = shell("kill -SEGV $$");
  const auto status = child.wait_until(Clock::now() + seconds(120));
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(describe_status(*status), "was killed by SIGSEGV");
}

TEST(ChildProcess, TimesOut) {
  auto child = shell("sleep 600");
  std::string line;
  EXPECT_EQ(child.read_line(line, Clock::now() + milliseconds(20)), Wait::timeout);
  EXPECT_FALSE(child.wait_until(Clock::now() + milliseconds(20)).has_value());
}

TEST(ChildProcess, KeepsItsLastWordsHoweverManyItHad) {
  auto child = shell("echo first >&2; echo last >&2");
  child.wait_until(Clock::now() + seconds(120));
  EXPECT_EQ(child.last_words(), "last");
  // A flood neither blocks the program nor fills the machine's memory.
  auto flood = shell(
      "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); "
      "echo 'a line of fifty characters or so, again and again' >&2 || true; done; "
      "exit 0");
  const auto status = flood.wait_until(Clock::now() + seconds(120));
  ASSERT_TRUE(status.has_value());
  EXPECT_LT(flood.last_words().size(), 100U);
}

TEST(ChildProcess, CannotStartWhatIsNotThere) {
  const auto child = ChildProcess::start({.command = {"/no/such/program"}});
  ASSERT_FALSE(child.ok());
  EXPECT_THAT(child.error().message, HasSubstr("cannot start /no/such/program: No such file"));
}

TEST(ChildProcess, TakesItsGroupWithIt) {
  pid_t grandchild = 0;
  {
    auto child = shell("sleep 600 & echo $!; wait");
    std::string line;
    ASSERT_EQ(child.read_line(line, Clock::now() + seconds(120)), Wait::line);
    grandchild = std::stoi(line);
    EXPECT_EQ(::kill(grandchild, 0), 0);
  }
  const auto deadline = Clock::now() + seconds(120);
  while (::kill(grandchild, 0) == 0 && Clock::now() < deadline) {
    ::waitpid(grandchild, nullptr, WNOHANG);  // it may have come to this process
    ::usleep(1000);
  }
  EXPECT_NE(::kill(grandchild, 0), 0);
}

TEST(ChildProcess, NoticesTheEndOfAnother) {
  auto child = shell("sleep 600");
  auto other = shell("exit 0");
  std::string line;
  EXPECT_EQ(child.read_line(line, Clock::now() + seconds(120), other.pidfd()), Wait::exited);
}

TEST(ChildProcess, StartsWithDefaultSignals) {
  std::signal(SIGPIPE, SIG_IGN);
  auto child = shell("kill -PIPE $$; exit 0");
  std::signal(SIGPIPE, SIG_DFL);
  const auto status = child.wait_until(Clock::now() + seconds(120));
  ASSERT_TRUE(status.has_value());
  EXPECT_TRUE(WIFSIGNALED(*status)) << *status;
}

}  // namespace
}  // namespace muxbench
