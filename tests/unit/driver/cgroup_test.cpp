#include "driver/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/child_process.h"
#include "driver/server_usage.h"

namespace muxbench {
namespace {

TEST(CgroupParent, FindsTheGroupInEveryLayout) {
  const std::string unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
  const std::string hybrid =
      "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(*cgroup_parent(unified, "0::/\n"), "/sys/fs/cgroup");
  EXPECT_EQ(*cgroup_parent(unified, "0::/user.slice/session-1.scope\n"),
            "/sys/fs/cgroup/user.slice/session-1.scope");
  EXPECT_EQ(*cgroup_parent(hybrid, "4:memory:/deep\n1:cpu:/\n0::/\n"), "/sys/fs/cgroup/unified");
}

TEST(CgroupParent, SaysWhyThereIsNone) {
  EXPECT_THAT(cgroup_parent("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "0::/\n")
                  .error()
                  .message,
              testing::HasSubstr("no cgroup v2"));
  EXPECT_FALSE(
      cgroup_parent("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "1:cpu:/\n").ok());
}

// A shell that starts a child which burns CPU, so that both ways of counting must see more than
// the process that they were given.
ChildProcess busy_family(int cgroup_procs) {
  auto child = ChildProcess::start(
      {.command = {"/bin/sh", "-c",
                   "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 30'"
                   " & wait"},
       .cgroup_procs = cgroup_procs});
  EXPECT_TRUE(child.ok());
  std::string line;
  EXPECT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(60)), Wait::line);
  return std::move(*child);
}

TEST(ServerUsage, CountsTheWholeTree) {
  const ChildProcess child = busy_family(-1);
  const ServerUsage usage(nullptr, child.pid());
  const CpuSample cpu = usage.cpu();
  EXPECT_GT(cpu.total, std::chrono::milliseconds(20));
  EXPECT_GE(usage.processes().size(), 2U);
  const auto memory = usage.memory();
  ASSERT_TRUE(memory.has_value());
  EXPECT_GT(memory->peak_bytes, 0U);
  EXPECT_THAT(memory->source, testing::HasSubstr("Pss"));
}

TEST(ServerUsage, CountsChildrenThatEnded) {
  auto child = ChildProcess::start(
      {.command = {"/bin/sh", "-c",
                   "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo; sleep 30"}});
  ASSERT_TRUE(child.ok());
  std::string line;
  ASSERT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(60)), Wait::line);
  const CpuSample cpu = ServerUsage(nullptr, child->pid()).cpu();
  EXPECT_GT(cpu.total, std::chrono::milliseconds(20));
}

TEST(ServerUsage, CgroupAndProcessClocksAgree) {
  auto group = Cgroup::make();
  if (!group) GTEST_SKIP() << group.error().message;
  const ChildProcess child = busy_family(group->procs_fd());
  const CpuSample by_group = ServerUsage(&*group, child.pid()).cpu();
  const CpuSample by_clock = ServerUsage(nullptr, child.pid()).cpu();
  const auto difference = std::chrono::abs(by_group.total - by_clock.total);
  EXPECT_LT(difference, by_clock.total / 5)
      << by_group.total.count() << " ns by cgroup, " << by_clock.total.count() << " ns by clocks";
}

TEST(Cgroup, KillsWhatLeftItsProcessGroup) {
  auto group = Cgroup::make();
  if (!group) GTEST_SKIP() << group.error().message;
  pid_t daemon = 0;
  {
    auto child =
        ChildProcess::start({.command = {"/bin/sh", "-c", "setsid sleep 60 & echo $!; sleep 60"},
                             .cgroup_procs = group->procs_fd()});
    ASSERT_TRUE(child.ok());
    std::string line;
    ASSERT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(10)), Wait::line);
    daemon = std::stoi(line);
  }
  EXPECT_EQ(::kill(daemon, 0), 0);
  group->kill_all();
  const auto deadline = Clock::now() + std::chrono::seconds(5);
  while (!group->processes().empty() && Clock::now() < deadline) ::usleep(1000);
  EXPECT_TRUE(group->processes().empty());
}

}  // namespace
}  // namespace muxbench
