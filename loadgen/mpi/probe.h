// What a host offers as a load host, asked before a run (loadgen_mpi --probe ADDRESS).
#pragma once

#include <string>

#include "json/json.h"

namespace muxbench::loadgen {

// Of this host: CPUs, descriptor limit, and how it reaches `target`, an address that listens:
// interface and round-trip times, or "error".
Json probe(const std::string& target);

}  // namespace muxbench::loadgen
