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
// processes. From its first moment the stop signal means the end of that connection's input to the
// child (stop_signal::adopt_in_child), and nothing but "stop" if there is none (-1).
pid_t start(int connection = -1);

// Those that still run.
std::size_t running() noexcept;

// How the last one that ended did so, as waitpid(2) tells it.
int last_status() noexcept;

// Passes the signal on to all, and waits until the last has ended.
void stop_all(int signal = SIGTERM);

}  // namespace muxbench::children
