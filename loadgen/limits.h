// What the process arranges with the kernel, and learns from it, around a run.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace muxbench::loadgen {

// Raises the soft limit of descriptors to the hard one; an error when that is below what the
// connections need.
Result<> make_room_for(std::uint64_t connections, std::uint32_t threads);

// The calling thread runs on this CPU only.
void pin_to(int cpu) noexcept;

// The highest resident set of this program. getrusage(2) would also count what the process was
// before its exec: the memory of a large parent that had just forked.
std::uint64_t peak_resident_bytes();

// SIGINT and SIGTERM: the first is noted, the second ends the process at once.
void catch_signals();
void block_signals_in_this_thread() noexcept;
bool interrupted() noexcept;

}  // namespace muxbench::loadgen
