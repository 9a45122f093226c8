#include "driver/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/child_process.h"
#include "driver/json_reader.h"
#include "driver/server_usage.h"

namespace muxbench {
namespace {

std::vector<std::string> paths(const std::string& mountinfo, const std::string& membership) {
  std::vector<std::string> texts;
  for (const auto& place : cgroup_places(mountinfo, membership)) {
    texts.push_back((place.kind == CgroupKind::v2 ? "v2 " : "v1 ") + place.path);
  }
  return texts;
}

constexpr const char* kUnified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
constexpr const char* kLegacy =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
constexpr const char* kHybrid =
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 none rw\n";

TEST(CgroupPlaces, AreFoundInEveryLayout) {
  using testing::ElementsAre;
  EXPECT_THAT(paths(kUnified, "0::/\n"), ElementsAre("v2 /sys/fs/cgroup"));
  EXPECT_THAT(paths(kUnified, "0::/user.slice/session-1.scope\n"),
              ElementsAre("v2 /sys/fs/cgroup/user.slice/session-1.scope"));
  EXPECT_THAT(paths(std::string(kLegacy) + kHybrid, "4:cpu,cpuacct:/deep\n1:cpuset:/\n0::/\n"),
              ElementsAre("v2 /sys/fs/cgroup/unified", "v1 /sys/fs/cgroup/cpu,cpuacct/deep"));
  EXPECT_THAT(paths(kLegacy, "4:cpu,cpuacct:/\n1:cpuset:/deep\n"),
              ElementsAre("v1 /sys/fs/cgroup/cpu,cpuacct"));
  // A container that sees its own group at the mount's root.
  EXPECT_THAT(paths("30 23 0:26 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/box/run\n"),
              ElementsAre("v2 /sys/fs/cgroup/run"));
}

TEST(CgroupPlaces, AreNotWhereThisProcessIsNot) {
  EXPECT_TRUE(
      paths("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "0::/\n").empty());
  EXPECT_TRUE(paths(kUnified, "1:cpu:/\n").empty());
  EXPECT_TRUE(paths(kUnified, "0::/../outside\n").empty());
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

// In every place where this machine has one: v2 and v1 both, on a hybrid.
TEST(ServerUsage, CgroupAndProcessClocksAgree) {
  int tried = 0;
  for (const auto& place :
       cgroup_places(*read_file("/proc/self/mountinfo"), *read_file("/proc/self/cgroup"))) {
    auto group = Cgroup::make_in(place);
    if (!group) continue;
    ++tried;
    const ChildProcess child = busy_family(group->procs_fd());
    const CpuSample by_group = ServerUsage(&*group, child.pid()).cpu();
    const CpuSample by_clock = ServerUsage(nullptr, child.pid()).cpu();
    const auto difference = std::chrono::abs(by_group.total - by_clock.total);
    EXPECT_LT(difference, by_clock.total / 5)
        << place.path << ": " << by_group.total.count() << " ns by " << by_group.source << ", "
        << by_clock.total.count() << " ns by " << by_clock.source;
    const auto parts = by_group.split->user + by_group.split->system;
    EXPECT_LE(std::chrono::abs(parts - by_group.total), std::chrono::microseconds(2));
    EXPECT_GE(group->processes().size(), 2U);
  }
  if (tried == 0) GTEST_SKIP() << "environment: " << Cgroup::make().error().message;
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
