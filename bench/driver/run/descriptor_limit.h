// How many descriptors a process may have open (RLIMIT_NOFILE).
#pragma once

#include <cstdint>

namespace muxbench {

// Raises the soft limit to the hard one, for the driver and what it starts; gives it.
std::uint64_t raise_descriptor_limit();

}  // namespace muxbench
