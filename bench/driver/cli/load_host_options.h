// The options that name load hosts, the same of every command that has them.
#pragma once

#include <CLI/CLI.hpp>

#include "command_line/command_line.h"
#include "plan/load_hosts.h"

namespace muxbench {

inline void describe_load_hosts(CLI::App* command, LoadHostsRequest* request) {
  command->add_option(
      "--load-hosts", request->hosts,
      "Load from these machines, a,b,c, by MPI; the server may then use all CPUs here "
      "(docs/many-hosts.md)");
  command->add_option("--load-hostfile", request->hostfile, "The same, a host a line");
  command->add_option("--listen", request->listen,
                      "An address of this machine that the load hosts can reach, such as 10.0.0.5");
  command->add_option("--launcher", request->launcher,
                      "Command that starts MPI processes, such as mpirun with options of its own "
                      "(default: mpirun) or \"srun --mpi=pmix\"");
  command->add_option("--loadgen-mpi", request->program,
                      "The load generator for many hosts, at the same place on all of them");
  name_values(*command, {{"NAMES", {"--load-hosts"}},
                         {"FILE", {"--load-hostfile", "--loadgen-mpi"}},
                         {"ADDRESS", {"--listen"}},
                         {"COMMAND", {"--launcher"}}});
}

}  // namespace muxbench
