// The load generator on other hosts, by its launcher: what those hosts are.
#pragma once

#include "base/clock.h"
#include "json/json.h"
#include "plan/load_hosts.h"

namespace muxbench {

struct ProbedHosts {
  Json
      hosts;  // of each: name, program, CPUs, descriptor limit, interface, round-trip times, clock offset
  Nanoseconds launching{};  // how long it took to start a process on each and to hear of it
};

// Starts the program on each host, compares it with ours and lets it reach our address. An error names
// the host that is lacking, or repeats what the launcher said.
Result<ProbedHosts> probe_load_hosts(const LoadHosts& hosts);

}  // namespace muxbench
