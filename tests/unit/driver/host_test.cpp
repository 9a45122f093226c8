#include "system/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "system/call_checks.h"

namespace muxbench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

// A machine's /proc and /sys, of files that the test writes.
class FakeHost : public testing::Test {
 protected:
  FakeHost() {
    std::string pattern = (fs::temp_directory_path() / "host_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~FakeHost() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    const fs::path path = root_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  Json context() const { return envelope_context("muxbench", "now", load_average(root_), root_); }
  Json section() const { return host_section(Json::object(), root_); }

  fs::path root_;
};

TEST_F(FakeHost, AClockRateThatIsNotToldIsNull) {
  EXPECT_TRUE(context().at("mhz_per_cpu").is_null());
  write("proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 0.000");
  EXPECT_TRUE(context().at("mhz_per_cpu").is_null());
  write("proc/cpuinfo",
        "processor\t: 0\ncpu MHz\t\t: 2095.986\nprocessor\t: 1\ncpu MHz\t\t: 800.0");
  EXPECT_EQ(context().at("mhz_per_cpu"), 2095);
}

TEST_F(FakeHost, ALoadThatIsNotToldIsEmpty) {
  EXPECT_EQ(context().at("load_avg"), Json::array());
  write("proc/loadavg", "0.50 1.25 2.00 1/120 4711");
  EXPECT_EQ(context().at("load_avg"), Json({0.5, 1.25, 2.0}));
}

TEST_F(FakeHost, TheGovernorSaysWhetherTheFrequencyScales) {
  EXPECT_EQ(section().at("governor"), "unknown");
  EXPECT_FALSE(context().contains("cpu_scaling_enabled"));
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
  EXPECT_EQ(section().at("governor"), "powersave");
  EXPECT_EQ(context().at("cpu_scaling_enabled"), true);
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance");
  EXPECT_EQ(context().at("cpu_scaling_enabled"), false);
}

TEST_F(FakeHost, TurboIsToldByEitherDriver) {
  EXPECT_EQ(section().at("turbo"), "unknown");
  write("sys/devices/system/cpu/cpufreq/boost", "0");
  EXPECT_EQ(section().at("turbo"), "off");
  write("sys/devices/system/cpu/cpufreq/boost", "1");
  EXPECT_EQ(section().at("turbo"), "on");
  write("sys/devices/system/cpu/intel_pstate/no_turbo", "1");
  EXPECT_EQ(section().at("turbo"), "off");
}

TEST_F(FakeHost, SmtIsOnWhileCpusShareACore) {
  EXPECT_EQ(section().at("smt"), "unknown");
  write("sys/devices/system/cpu/smt/active", "1");
  EXPECT_EQ(section().at("smt"), "on");
  write("sys/devices/system/cpu/smt/active", "0");
  EXPECT_EQ(section().at("smt"), "off");
}

TEST_F(FakeHost, OfTheKernelsCommandLineWhatTimingsDependOnIsKept) {
  EXPECT_FALSE(section().contains("kernel_parameters"));
  write("proc/cmdline",
        "root=UUID=7 quiet isolcpus=1 token=secret mitigations=off nosmt isolated "
        "intel_idle.max_cstate=1 tsc=reliable");
  EXPECT_EQ(section().at("kernel_parameters"), Json({"isolcpus=1", "mitigations=off", "nosmt",
                                                     "intel_idle.max_cstate=1", "tsc=reliable"}));
  write("proc/cmdline", "root=UUID=7 quiet");
  EXPECT_EQ(section().at("kernel_parameters"), Json::array());
}

TEST_F(FakeHost, MitigationsAndSysctlsAreThoseOfThisKernel) {
  EXPECT_EQ(section().at("mitigations"), Json::object());
  EXPECT_EQ(section().at("sysctls"), Json::object());
  write("sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI");
  write("sys/devices/system/cpu/vulnerabilities/l1tf", "Not affected");
  write("proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456");
  EXPECT_EQ(section().at("mitigations"),
            Json({{"l1tf", "Not affected"}, {"meltdown", "Mitigation: PTI"}}));
  EXPECT_EQ(section().at("sysctls"), Json({{"net.ipv4.tcp_rmem", "4096 131072 6291456"}}));
  const Json outside{{"net.ipv4.tcp_rmem", "4096 8192 16384"}, {"net.core.busy_poll", "50"}};
  EXPECT_EQ(host_section(outside, root_).at("sysctls"),
            Json({{"net.ipv4.tcp_rmem", "4096 131072 6291456"}, {"net.core.busy_poll", "50"}}));
}

TEST_F(FakeHost, TheTopologyHasWhatIsTold) {
  EXPECT_EQ(section().at("topology"), Json::object());
  for (const char* cpu : {"cpu0", "cpu1", "cpu2", "cpu3"}) {
    const std::string folder = std::string("sys/devices/system/cpu/") + cpu + "/topology/";
    write(folder + "package_cpus_list", "0-3");
    write(folder + "core_cpus_list", cpu[3] % 2 == 0 ? "0,2" : "1,3");
  }
  EXPECT_EQ(section().at("topology"), Json({{"sockets", 1}, {"cores", 2}}));
  fs::create_directories(root_ / "sys/devices/system/node/node0");
  EXPECT_EQ(section().at("topology"), Json({{"sockets", 1}, {"cores", 2}, {"numa_nodes", 1}}));
}

TEST_F(FakeHost, CachesHaveTheirSizesInBytes) {
  EXPECT_EQ(context().at("caches"), Json::array());
  const std::string folder = "sys/devices/system/cpu/cpu0/cache/index0/";
  write(folder + "type", "Unified");
  write(folder + "level", "3");
  write(folder + "size", "2M");
  EXPECT_EQ(context().at("caches"), Json::array());  // shared by nobody knows how many
  write(folder + "shared_cpu_list", "0-3,8");
  EXPECT_EQ(context().at("caches"),
            Json::parse(R"([{"type": "Unified", "level": 3, "size": 2097152, "num_sharing": 5}])"));
}

TEST_F(FakeHost, AVirtualMachineIsSeenByItsCpuOrItsMaker) {
  EXPECT_EQ(section().at("virtualisation"), "none seen");
  write("proc/cpuinfo", "flags\t\t: fpu hypervisor lahf_lm");
  EXPECT_EQ(section().at("virtualisation"), "virtual machine");
  write(".dockerenv", "");
  EXPECT_EQ(section().at("virtualisation"), "docker in a virtual machine");
  write("sys/class/dmi/id/sys_vendor", "QEMU");
  EXPECT_EQ(section().at("virtualisation"), "docker in a qemu virtual machine");
}

TEST_F(FakeHost, ARefusedCallIsExplainedByWhatForbidsIt) {
  const auto explained = [&](const RefusedCall& call) {
    const Diagnosis told = explain_refusal("io_uring", call, root_);
    EXPECT_EQ(told.health, Health::lack);
    return told.found + " -> " + told.remedy;
  };
  const RefusedCall denied{"io_uring_setup", EPERM};
  EXPECT_THAT(explained({"io_uring_setup", ENOSYS}), HasSubstr("use Linux 5.6 or newer"));
  EXPECT_THAT(explained(denied), HasSubstr("security module"));
  write("proc/self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1");
  EXPECT_THAT(explained(denied), HasSubstr("EPERM): a seccomp filter forbids it -> run outside"));
  EXPECT_THAT(explained({"io_uring_setup", ENOSYS}), HasSubstr("a seccomp filter forbids it"));
  write("proc/sys/kernel/io_uring_disabled", "2");
  EXPECT_THAT(
      explained(denied),
      HasSubstr("kernel.io_uring_disabled is 2 -> as root: sysctl kernel.io_uring_disabled=0"));
  EXPECT_THAT(explained({"io_setup", EPERM}), HasSubstr("a seccomp filter"))
      << "that is no io_uring";
  write("proc/sys/kernel/io_uring_disabled", "0");
  EXPECT_THAT(explained(denied), HasSubstr("a seccomp filter"));
  EXPECT_THAT(explained({"io_uring_enter", 0}), HasSubstr("who calls io_uring_enter is killed"));
}

TEST_F(FakeHost, StolenTimeIsTheEighthNumberOfAllCpus) {
  EXPECT_EQ(steal_time_since_boot(root_), std::nullopt);
  write("proc/stat", "cpu  33598 0 11404 23373 388 0 209");
  EXPECT_EQ(steal_time_since_boot(root_), std::nullopt);
  write("proc/stat", "cpu  33598 0 11404 23373 388 0 209 7 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(steal_time_since_boot(root_), Nanoseconds(7s) / ::sysconf(_SC_CLK_TCK));
}

TEST(StolenBetween, IsUnknownWhereAHypervisorDoesNotTell) {
  EXPECT_EQ(steal_time_between(2s, 5s, true), Nanoseconds(3s));
  EXPECT_EQ(steal_time_between(0s, 5s, true), Nanoseconds(5s));
  EXPECT_EQ(steal_time_between(2s, 2s, true), Nanoseconds(0));
  EXPECT_EQ(steal_time_between(0s, 0s, true), std::nullopt);
  EXPECT_EQ(steal_time_between(0s, 0s, false), Nanoseconds(0));
  EXPECT_EQ(steal_time_between({}, 5s, false), std::nullopt);
  EXPECT_EQ(steal_time_between(2s, {}, false), std::nullopt);
}

}  // namespace
}  // namespace muxbench
