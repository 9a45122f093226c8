// SIGINT and SIGTERM, and waiting that they end: the first is noted, the second ends the process at once.
#pragma once

#include <optional>

#include "base/clock.h"

namespace muxbench::loadgen {

void catch_signals();
void block_signals_in_this_thread() noexcept;
bool interrupted() noexcept;
// Sleeps until the descriptor has something to read or has ended. False: interrupted, now or before.
bool await_readable(int fd) noexcept;
// The same for these poll(2) events, until `deadline` at the latest. True then, too.
bool await_events(int fd, short events, std::optional<Clock::time_point> deadline) noexcept;

}  // namespace muxbench::loadgen
