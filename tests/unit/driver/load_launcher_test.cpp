#include "trial/launcher_words.h"

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

// As Open MPI 4.1, MPICH 4.0, Slurm 22.05, dash and the linker of glibc say it.
TEST(GistOf, SaysWhatIsLackingOnWhichHostAndTheRemedy) {
  const std::vector<std::string> hosts{"load1", "load2"};
  const std::string foreign =
      "load2 is of another architecture than the program (Exec format error): take load hosts of "
      "this machine's architecture";
  EXPECT_EQ(gist_of("Open MPI tried to fork a new process via the \"execve\" system call but\n"
                    "failed.\n\n  Local host:        load2\n  Working dir:       /\n"
                    "  Application name:  /m/loadgen_mpi\n  Error:             Exec format error\n",
                    hosts),
            foreign);
  EXPECT_EQ(
      gist_of("[proxy:0:1@load2] HYDU_create_process (utils/launch/launch.c:74): execvp error "
              "on file /m/loadgen_mpi (Exec format error)\n",
              hosts),
      foreign);
  EXPECT_EQ(gist_of("slurmstepd: error: execve(): /m/loadgen_mpi: Exec format error\n"
                    "srun: error: load2: task 1: Exited with exit code 8\n",
                    hosts),
            foreign);
  EXPECT_EQ(gist_of("mpirun was unable to launch the specified application as it could not access\n"
                    "or execute an executable:\n\nExecutable: /m/loadgen_mpi\nNode: load2\n",
                    hosts),
            "load2 has no such program: scripts/push.sh load2 copies it");
  EXPECT_EQ(
      gist_of("/m/loadgen_mpi: error while loading shared libraries: libmpi.so.40: cannot open "
              "shared object file: No such file or directory\nPrimary job  terminated\n",
              {"load1"}),
      "/m/loadgen_mpi: error while loading shared libraries: libmpi.so.40: cannot open shared "
      "object file: No such file or directory; apt-get install there what has it (MPI's is in "
      "openmpi-bin)");
  EXPECT_EQ(
      gist_of("sh: 1: orted: not found\nORTE was unable to reliably start one or more\n", hosts),
      "sh: 1: orted: not found; apt-get install openmpi-bin there");
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
