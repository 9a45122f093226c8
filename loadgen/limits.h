// What the process arranges with the kernel, and learns from it, around a run.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/result.h"

namespace muxbench::loadgen {

// The limit of descriptors, raised to the hard one. It holds for each table of descriptors, and a
// thread can have one of its own (own_descriptors), so more threads hold more connections.
std::uint64_t descriptor_limit() noexcept;
std::uint64_t threads_needed(std::uint64_t connections, std::uint64_t limit) noexcept;

// An error when the limit is below what a thread's share of the connections needs.
Result<> make_room_for(std::uint64_t connections, std::uint32_t threads);

// unshare(2) CLONE_FILES: from now on the calling thread opens and closes for itself only. System
// calls get cheaper too: the kernel need not count references in a table that nobody shares.
void own_descriptors() noexcept;

// The calling thread runs on this CPU only.
void pin_to(int cpu) noexcept;

// SIGINT and SIGTERM: the first is noted, the second ends the process at once.
void catch_signals();
void block_signals_in_this_thread() noexcept;
bool interrupted() noexcept;
// Sleeps until the descriptor has something to read or has ended. False: interrupted, now or before.
bool await_readable(int fd) noexcept;
// The same for these poll(2) events, until `deadline` at the latest. True then, too.
bool await_events(int fd, short events, std::optional<Clock::time_point> deadline) noexcept;

}  // namespace muxbench::loadgen
