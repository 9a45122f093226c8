// Two networks of our own that a veth pair joins: the server in this process's, the load in another.
// Its packets cross a device, a queue and two stacks, which those of loopback do not.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

struct VethNetwork {
  UniqueFd load;  // the network namespace that the load generator is to enter, as setns(2) takes it
  std::string listen;  // the server's address
};

// After enter_private_network(): makes the other network and the pair. The error says what is missing.
Result<VethNetwork> make_veth_network();

}  // namespace muxbench
