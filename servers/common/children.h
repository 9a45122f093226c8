// The child processes of a server that forks: started, counted, reaped as they end, and stopped
// with it.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstddef>

namespace muxbench::children {

// Reaps from SIGCHLD from now on. Call once, in a process with one thread.
void reap_as_they_end();

// fork(2): 0 in the child, which dies with its parent; -1 and errno when there are too many
// processes.
pid_t start();

// Those that still run.
std::size_t running() noexcept;

// How the last one that ended did so, as waitpid(2) tells it.
int last_status() noexcept;

// Passes the signal on to all, and waits until the last has ended.
void stop_all(int signal = SIGTERM);

}  // namespace muxbench::children
