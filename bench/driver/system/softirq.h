// CPU time of interrupts and of the network stack's work after them, which is in no process's control
// group.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace muxbench {

inline constexpr const char* kSoftirqSource = "irq and softirq of all CPUs in /proc/stat, in ticks";

// Since boot, on all CPUs; nothing where the kernel does not tell.
std::optional<Nanoseconds> softirq_time();
// What this text of /proc/stat says, at so many ticks a second.
std::optional<Nanoseconds> softirq_time(const std::string& stat, long ticks_per_second);

}  // namespace muxbench
