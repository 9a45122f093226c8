#include "trial/load_launcher.h"

#include <gtest/gtest.h>

#include "trial/load_result.h"

namespace muxbench {
namespace {

TEST(GistOf, IsWhatALauncherSaidAboutAHost) {
  const std::string killed =
      "--------------------------------------------------------------------------\n"
      "Primary job  terminated normally, but 1 process returned\n"
      "a non-zero exit code. Per user-direction, the job has been aborted.\n"
      "--------------------------------------------------------------------------\n"
      "mpirun noticed that process rank 1 with PID 0 on node load2 exited on signal 9 (Killed).\n";
  EXPECT_EQ(
      gist_of(killed, {"load1", "load2"}),
      "mpirun noticed that process rank 1 with PID 0 on node load2 exited on signal 9 (Killed).");
  EXPECT_EQ(gist_of("  one\n=====\n\n two \n", {"load1"}), "one two");
  EXPECT_EQ(gist_of("root@10.0.0.7: Permission denied (publickey).\n---\ntarget node:  load1\n",
                    {"load1"}),
            "root@10.0.0.7: Permission denied (publickey).");
  EXPECT_EQ(gist_of("", {"load1"}), "");
  EXPECT_LT(gist_of(std::string(10'000, 'x'), {}).size(), 400U);
}

TEST(LoadResult, OfManyHostsHasThreadsAndFlagsOfEach) {
  const auto result = read_load_result(Json::parse(R"({"status": "ok",
    "hosts": [{"name": "a", "cpu": {"threads": [{"utilisation": 0.5}]}}, {"name": "b"}],
    "host_flags": [{"kind": "host_share", "detail": "load host b: ..."}]})"));
  ASSERT_TRUE(result);
  ASSERT_EQ(result->hosts.size(), 2U);
  EXPECT_EQ(result->hosts[0].thread_utilisation.at(0), 0.5);
  EXPECT_EQ(result->hosts[1].name, "b");
  EXPECT_EQ(result->host_flags.at(0).kind, "host_share");
}

TEST(LoadFailure, SaysWhyAllGaveUp) {
  const auto result = read_load_result(
      Json::parse(R"({"status": "failed", "stop_reason": "load host b has not answered"})"));
  ASSERT_TRUE(result);
  EXPECT_EQ(load_failure(*result), "the load generator gave up: load host b has not answered");
}

}  // namespace
}  // namespace muxbench
