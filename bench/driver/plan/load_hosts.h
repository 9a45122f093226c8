// Load from other machines: their names, the address that they reach this one by, and the MPI launcher
// that starts the load generator there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace muxbench {

// As the command line has it.
struct LoadHostsRequest {
  std::string hosts;     // "a,b,c"
  std::string hostfile;  // a host a line
  std::string listen;    // an address of this machine
  std::string launcher = "mpirun";
  std::string program;  // loadgen_mpi, at the same place on all hosts

  bool any() const noexcept { return !hosts.empty() || !hostfile.empty(); }
};

struct LoadHosts {
  std::vector<std::string> names;
  std::string listen;  // without a port: "10.0.0.5" or "[fd00::5]"
  std::vector<std::string>
      command;  // what starts the program once on each host, up to its own name

  bool any() const noexcept { return !names.empty(); }
};

// A usage error where the request makes no sense or the launcher is not there. Asks the launcher which
// one it is.
Result<LoadHosts> find_load_hosts(const LoadHostsRequest& request);

// For doctor, which asks one after the other.
Result<LoadHosts> only(const LoadHosts& all, const LoadHostsRequest& request,
                       const std::string& host);

}  // namespace muxbench
