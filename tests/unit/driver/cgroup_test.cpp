#include "system/cgroup.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "json/json.h"
#include "system/child_process.h"
#include "system/cpu_quota.h"
#include "system/server_usage.h"

namespace muxbench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

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

// Files and folders that look like a mounted hierarchy, for readings that no kernel gives on demand.
class FakeCgroups : public testing::Test {
 protected:
  FakeCgroups() {
    std::string pattern = (fs::temp_directory_path() / "cgroups_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~FakeCgroups() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    const fs::path path = root_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string mount(const std::string& point, const std::string& type_and_options) const {
    return fmt::format("31 23 0:28 / {} rw - {}\n", (root_ / point).string(), type_and_options);
  }

  fs::path root_;
};

constexpr const char* kCpuStat = "usage_usec 1500\nuser_usec 500\nsystem_usec 1000\nnr_periods 0\n";

TEST_F(FakeCgroups, UnifiedTellsByCpuStat) {
  write("user/cpu.stat", kCpuStat);
  const auto places = cgroup_places(mount("", "cgroup2 cgroup2 rw"), "0::/user\n");
  ASSERT_EQ(places.size(), 1U);
  const auto cpu = read_cpu(places[0]);
  ASSERT_TRUE(cpu.ok()) << cpu.error().message;
  EXPECT_EQ(cpu->total, 1500us);
  EXPECT_EQ(cpu->split->user, 500us);
  EXPECT_EQ(cpu->split->system, 1000us);
}

TEST_F(FakeCgroups, HybridTellsByBoth) {
  write("unified/cpu.stat", kCpuStat);
  write("cpu,cpuacct/deep/cpuacct.usage", "3000\n");
  write("cpu,cpuacct/deep/cpuacct.usage_user", "2000\n");
  write("cpu,cpuacct/deep/cpuacct.usage_sys", "1000\n");
  const auto places = cgroup_places(
      mount("cpu,cpuacct", "cgroup cgroup rw,cpu,cpuacct") + mount("unified", "cgroup2 none rw"),
      "4:cpu,cpuacct:/deep\n0::/\n");
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(read_cpu(places[0])->total, 1500us);
  const auto legacy = read_cpu(places[1]);
  ASSERT_TRUE(legacy.ok()) << legacy.error().message;
  EXPECT_EQ(legacy->total, 3000ns);
  EXPECT_EQ(legacy->split->user, 2000ns);
  EXPECT_EQ(legacy->split->system, 1000ns);
}

TEST_F(FakeCgroups, LegacyBeforeLinux4_7SharesTheTotalByTicks) {
  write("cpuacct.usage", "4000\n");
  write("cpuacct.stat", "user 1\nsystem 3\n");
  const auto cpu = read_cpu({CgroupKind::cpuacct, root_});
  ASSERT_TRUE(cpu.ok()) << cpu.error().message;
  EXPECT_EQ(cpu->split->user, 1000ns);
  EXPECT_EQ(cpu->split->system, 3000ns);
}

TEST_F(FakeCgroups, WhatIsNotToldIsAbsent) {
  write("cpu.stat", "usage_usec 1500\n");
  EXPECT_FALSE(read_cpu({CgroupKind::v2, root_})->split.has_value());
  write("cpuacct.usage", "4000\n");
  EXPECT_FALSE(read_cpu({CgroupKind::cpuacct, root_})->split.has_value());
  write("cpuacct.stat", "user 0\nsystem 0\n");  // less than a tick
  EXPECT_FALSE(read_cpu({CgroupKind::cpuacct, root_})->split.has_value());
  write("cpu.stat", "user_usec 500\n");
  fs::remove(root_ / "cpuacct.usage");
  for (const CgroupKind kind : {CgroupKind::v2, CgroupKind::cpuacct}) {
    EXPECT_THAT(read_cpu({kind, root_}).error().message, testing::HasSubstr(root_.string()));
  }
}

TEST_F(FakeCgroups, TheSmallestQuotaOfTheGroupAndItsParentsCounts) {
  const std::string mounted = mount("", "cgroup2 cgroup2 rw");
  const auto quotas = [&] { return CpuQuotas(mounted, "0::/box/run\n"); };
  EXPECT_FALSE(quotas().smallest());
  write("box/run/cpu.max", "max 100000\n");
  write("box/cpu.max", "150000 100000\n");
  ASSERT_TRUE(quotas().smallest());
  EXPECT_DOUBLE_EQ(quotas().smallest()->cpus, 1.5);
  EXPECT_EQ(fs::path(quotas().smallest()->file).lexically_normal(), root_ / "box/cpu.max");
  write("cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(quotas().smallest()->cpus, 0.5);
  EXPECT_FALSE(CpuQuotas(mounted, "0::/../box\n").smallest()) << "outside of this namespace";
}

TEST_F(FakeCgroups, TheQuotaOfVersion1IsThatOfTheCpuController) {
  const auto quotas = [&] {
    return CpuQuotas(mount("cpu", "cgroup cgroup rw,cpu"), "1:cpu:/box\n");
  };
  write("cpu/box/cpu.cfs_period_us", "50000\n");
  write("cpu/box/cpu.cfs_quota_us", "-1\n");
  EXPECT_FALSE(quotas().smallest());
  write("cpu/box/cpu.cfs_quota_us", "20000\n");
  ASSERT_TRUE(quotas().smallest());
  EXPECT_DOUBLE_EQ(quotas().smallest()->cpus, 0.4);
}

TEST_F(FakeCgroups, ThrottledPeriodsAreThoseOfGroupsWithAQuota) {
  write("box/cpu.max", "150000 100000\n");
  write("box/cpu.stat", "usage_usec 1\nnr_periods 9\nnr_throttled 4\nthrottled_usec 5\n");
  write("cpu.stat", "usage_usec 1\nnr_periods 9\nnr_throttled 100\n");
  const CpuQuotas quotas(mount("", "cgroup2 cgroup2 rw"), "0::/box\n");
  EXPECT_EQ(quotas.throttled_periods(), 4U);
  write("box/cpu.stat", "nr_throttled 7\n");
  EXPECT_EQ(quotas.throttled_periods(), 7U);
}

// No kernel puts a cgroup.procs into these folders, so no group can be made in them.
TEST_F(FakeCgroups, EveryPlaceThatAllowsNoGroupIsNamedAndLeftAsItWas) {
  const std::string missing = root_ / "missing";
  const auto group = Cgroup::make_in({{CgroupKind::v2, root_}, {CgroupKind::cpuacct, missing}});
  ASSERT_FALSE(group.ok());
  EXPECT_THAT(group.error().message, testing::HasSubstr("cannot open " + root_.string()));
  EXPECT_THAT(group.error().message, testing::HasSubstr("cannot make a cgroup in " + missing));
  EXPECT_THAT(group.error().message, testing::HasSubstr("Delegate=yes"));
  EXPECT_TRUE(fs::is_empty(root_));
}

// A shell that starts a child which burns CPU, so that both ways of counting must see more than
// the process that they were given.
ChildProcess busy_family(int cgroup_procs) {
  auto child = ChildProcess::start(
      {.command = {"/bin/sh", "-c",
                   "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 600'"
                   " & wait"},
       .cgroup_procs = cgroup_procs});
  EXPECT_TRUE(child.ok());
  std::string line;
  EXPECT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(120)), Wait::line);
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
  EXPECT_THAT(memory->source, testing::StartsWith("Pss_Anon and Pss_Shmem of "));
}

ChildProcess echoing() {
  auto child = ChildProcess::start({.command = {"/bin/cat"}, .listens = true});
  EXPECT_TRUE(child.ok());
  std::string line;
  child->say("ready");
  EXPECT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(120)), Wait::line);
  return std::move(*child);
}

TEST(ServerUsage, MemoryIsTheSameHoweverManyProgramsMapItsLibraries) {
  const ChildProcess child = echoing();
  const ServerUsage usage(nullptr, child.pid());
  const auto in_use = usage.memory_in_use();
  const auto memory = usage.memory();
  ASSERT_TRUE(in_use && memory);
  std::vector<ChildProcess> others;
  for (int i = 0; i < 8; ++i) others.push_back(echoing());
  EXPECT_EQ(usage.memory_in_use()->process_bytes, in_use->process_bytes);
  EXPECT_EQ(usage.memory()->peak_bytes, memory->peak_bytes);
}

// Memory from before a fork, and memory that is shared on purpose, is one and the same in both.
TEST(ServerUsage, MemoryThatProcessesShareCountsOnce) {
  constexpr std::size_t kBytes = 32 << 20;
  void* const shared =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  void* const inherited =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  ASSERT_NE(inherited, MAP_FAILED);
  std::memset(inherited, 1, kBytes);
  std::memset(shared, 1, kBytes);
  const ServerUsage usage(nullptr, ::getpid());
  const auto alone = usage.memory();
  ASSERT_TRUE(alone.has_value());
  EXPECT_GE(alone->peak_bytes, 2 * kBytes);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // All of it is mapped here too once it has been touched.
    for (std::size_t at = 0; at < kBytes; at += 4096) {
      [[maybe_unused]] volatile char seen = static_cast<char*>(shared)[at];
      seen = static_cast<char*>(inherited)[at];
    }
    [[maybe_unused]] const auto told = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto both = usage.memory();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int end : ready) ::close(end);
  ::munmap(shared, kBytes);
  ::munmap(inherited, kBytes);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->source, "Pss_Anon and Pss_Shmem of 2 processes");
  EXPECT_LT(both->peak_bytes, alone->peak_bytes + kBytes / 2);
  EXPECT_GT(both->peak_bytes, alone->peak_bytes - kBytes / 2);
}

TEST(ServerUsage, CountsChildrenThatEnded) {
  auto child = ChildProcess::start(
      {.command = {"/bin/sh", "-c",
                   "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo; sleep 600"}});
  ASSERT_TRUE(child.ok());
  std::string line;
  ASSERT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(120)), Wait::line);
  const CpuSample cpu = ServerUsage(nullptr, child->pid()).cpu();
  EXPECT_GT(cpu.total, std::chrono::milliseconds(20));
}

TEST(WaitedForCpu, IsUnknownWhereNoThreadTells) {
  EXPECT_EQ(waited_for_cpu(0), std::nullopt);
  const auto text = read_file("/proc/self/schedstat");
  const bool told = text.ok() && !text->empty() && !text->starts_with("0 ");
  EXPECT_EQ(waited_for_cpu(::getpid()).has_value(), told);
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
        ChildProcess::start({.command = {"/bin/sh", "-c", "setsid sleep 600 & echo $!; sleep 600"},
                             .cgroup_procs = group->procs_fd()});
    ASSERT_TRUE(child.ok());
    std::string line;
    ASSERT_EQ(child->read_line(line, Clock::now() + std::chrono::seconds(120)), Wait::line);
    daemon = std::stoi(line);
  }
  EXPECT_EQ(::kill(daemon, 0), 0);
  group->kill_all();
  const auto deadline = Clock::now() + std::chrono::seconds(120);
  while (!group->processes().empty() && Clock::now() < deadline) ::usleep(1000);
  EXPECT_TRUE(group->processes().empty());
}

}  // namespace
}  // namespace muxbench
