#include "system/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

#include "system/process_tree.h"
#include "system/server_usage.h"

namespace muxbench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

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

class Orphans : public testing::Test {
 protected:
  Orphans() {
    adopt_orphans();
    disregard_orphans();
  }
  ~Orphans() override {
    // Those of the killed come here in their turn.
    for (auto left = children_of(::getpid()); !left.empty(); left = children_of(::getpid())) {
      for (const pid_t pid : left) ::kill(pid, SIGKILL);
      for (const pid_t pid : left) ::waitpid(pid, nullptr, 0);
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  static pid_t daemon_of(ChildProcess& child) {
    std::string line;
    EXPECT_EQ(child.read_line(line, Clock::now() + seconds(60)), Wait::line);
    const pid_t pid = std::stoi(line);
    const auto deadline = Clock::now() + seconds(60);
    while (read_stat(pid)->parent != ::getpid() && Clock::now() < deadline) ::usleep(1000);
    EXPECT_EQ(read_stat(pid)->parent, ::getpid());
    return pid;
  }
  // As daemon(7) has it: in a session of its own, its parent gone. `work` is a shell's.
  static ChildProcess with_daemon(const std::string& work) {
    return shell("(setsid sh -c 'echo $$; " + work + "' &); exec sleep 60");
  }
};

TEST_F(Orphans, ComeToTheDriverWhateverTheyDid) {
  EXPECT_THAT(adopted_orphans(), IsEmpty());
  auto child = with_daemon("sleep 60; :");
  const pid_t daemon = daemon_of(child);
  EXPECT_THAT(adopted_orphans(), ElementsAre(daemon));  // and not the child itself
  EXPECT_TRUE(is_living(daemon));
  ::kill(daemon, SIGKILL);
  const auto deadline = Clock::now() + seconds(60);
  while (is_living(daemon) && Clock::now() < deadline) ::usleep(1000);
  EXPECT_FALSE(is_living(daemon));
}

TEST_F(Orphans, ThatWereThereBeforeAreNotTold) {
  auto child = with_daemon("exec sleep 60");
  const pid_t before = daemon_of(child);
  disregard_orphans();
  EXPECT_THAT(adopted_orphans(), IsEmpty());
  auto other = with_daemon("exec sleep 60");
  EXPECT_THAT(adopted_orphans(), ElementsAre(daemon_of(other)));
  disregard_orphans();
  EXPECT_THAT(adopted_orphans(), IsEmpty());
  EXPECT_TRUE(is_living(before));
}

TEST_F(Orphans, CountAsTheServers) {
  auto child = with_daemon("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 60 & wait");
  const pid_t daemon = daemon_of(child);
  const ServerUsage usage(nullptr, child.pid());
  const auto deadline = Clock::now() + seconds(60);
  while (usage.processes().size() < 3 && Clock::now() < deadline) ::usleep(1000);
  EXPECT_THAT(usage.processes(), IsSupersetOf({child.pid(), daemon}));
  EXPECT_EQ(usage.processes().size(), 3U);  // with what the daemon started
  EXPECT_GT(usage.cpu().total, milliseconds(20));
  EXPECT_EQ(usage.memory()->source, "Pss_Anon and Pss_Shmem of 3 processes");
  // One that has ended is no process any more, but its time was the server's.
  ::kill(daemon, SIGKILL);
  while (is_living(daemon) && Clock::now() < deadline) ::usleep(1000);
  EXPECT_EQ(usage.processes().size(), 2U);
  EXPECT_GT(usage.cpu().total, milliseconds(20));
}

TEST(ProcessTree, HoldsFewAndMany) {
  for (const unsigned count : {3U, 150U}) {
    auto child = shell("i=0; while [ $i -lt " + std::to_string(count) +
                       " ]; do i=$((i+1)); sleep 60 & done; echo; wait");
    std::string line;
    ASSERT_EQ(child.read_line(line, Clock::now() + seconds(60)), Wait::line);
    EXPECT_EQ(process_tree(child.pid()).size(), 1U + count);
    EXPECT_EQ(children_of(child.pid()).size(), count);
  }
}

TEST(ProcessTree, HoldsWhatAnyOfManyThreadsStarted) {
  std::optional<ChildProcess> child;
  std::latch started(1);
  std::latch seen(1);
  std::vector<std::jthread> threads;
  threads.emplace_back([&] {
    child.emplace(shell("exec sleep 60"));
    started.count_down();
    seen.wait();
  });
  started.wait();
  EXPECT_THAT(process_tree(::getpid()), Contains(child->pid()));
  for (int i = 0; i < 100; ++i) threads.emplace_back([&] { seen.wait(); });
  EXPECT_THAT(process_tree(::getpid()), Contains(child->pid()));
  EXPECT_THAT(children_of(::getpid()), Contains(child->pid()));
  seen.count_down();
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
