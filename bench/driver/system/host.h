// What this machine is: the report's `host` section and Google Benchmark's `context`, from the
// /proc and /sys below `root`.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"
#include "system/host_cpu.h"

namespace muxbench {

std::string host_name();
// Settings that matter, of those that this kernel has in this network namespace.
Json sysctls(const Root& root = "/");
// A private network namespace hides some sysctls that rule it all the same: `sysctls_outside` are
// those that were seen before it was entered.
Json host_section(const Json& sysctls_outside, const Root& root = "/");

// Runnable tasks on average over the last 1, 5 and 15 minutes, to be read before a run, which is a
// load itself; empty where the kernel does not tell.
using LoadAverage = std::vector<double>;
LoadAverage load_average(const Root& root = "/");

Json envelope_context(const std::string& executable, const std::string& date,
                      const LoadAverage& load_before, const Root& root = "/");

// "virtual machine", "docker in a virtual machine" or such; "none seen" where nothing tells.
std::string virtualisation(const Root& root = "/");

}  // namespace muxbench
