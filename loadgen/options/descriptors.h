// How many descriptors the kernel grants, and how many threads a load needs for that.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace muxbench::loadgen {

// The limit of descriptors, raised to the hard one. It holds for each table of descriptors, and a
// thread can have one of its own, so more threads hold more connections.
std::uint64_t descriptor_limit() noexcept;
std::uint64_t threads_needed(std::uint64_t connections, std::uint64_t limit) noexcept;

// An error when the limit is below what a thread's share of the connections needs.
Result<> make_room_for(std::uint64_t connections, std::uint32_t threads);

}  // namespace muxbench::loadgen
