// What muxbench doctor says about load hosts.
#pragma once

#include <vector>

#include "plan/load_hosts.h"
#include "system/host_checks.h"

namespace muxbench {

// Asks each host by itself, so that one that cannot be reached hides no other, and then all together.
// A usage error where the request makes no sense.
Result<std::vector<Diagnosis>> examine_load_hosts(const LoadHostsRequest& request);

}  // namespace muxbench
