// Where the benchmarks run.
#pragma once

#include <optional>

namespace muxbench {

// Binds this process to one CPU for good: the last of those allowed, since the first serves most
// interrupts. Its number, or nothing when that was refused.
std::optional<int> pin_process();

// A CPU that was allowed beside that one; nothing on a machine with one.
std::optional<int> other_cpu();

// Moves the calling thread.
bool move_thread_to(int cpu);

}  // namespace muxbench
