// SIGTERM and SIGINT: how every model learns that it must stop, whatever it waits in.
//
// The handler shuts the listening socket down. A blocked accept(2) returns EINVAL then, poll and
// epoll report POLLHUP, an io_uring accept completes: no model needs a second thing to wait for,
// and no wake-up is lost between a check and a wait. What is still in flight after 0.8 s is
// abandoned by a timer that ends the process with status 0; a second signal ends it at once.
#pragma once

#include <string>

#include "base/result.h"
#include "net/address.h"

namespace muxbench::stop_signal {

// Call once, before anything can be interrupted. `address` is removed at the end if it is a socket
// file.
Result<> install(int listener, const Address& address);

bool requested() noexcept;

// The calling thread leaves the signals to the main one. Every other thread does so when it begins:
// a timer's signal goes to whichever thread runs when it expires (Linux 6.4), which may be one that
// is ending.
void leave_to_main_thread() noexcept;

// For a loop that takes SIGTERM and SIGINT itself (signalfd, sigtimedwait, a library's own handler),
// when it has: gives the signal to the server's handler. From here on they go straight there.
void deliver(int number) noexcept;
// After a library that had a handler of its own.
void restore_handler() noexcept;

// Sends this process SIGTERM: a part of the server has failed, and the rest must not go on alone.
void request() noexcept;

// A worker with a listener of its own (SO_REUSEPORT): the signal shuts it down too. It stays open
// until the server stops. Safe in several threads.
void also_shuts_down(int listener) noexcept;
constexpr std::size_t kMostListeners = 1 + 1024;  // the server's own, and one for each worker

// A descriptor that is readable from the signal on, for loops that would not see the listener go:
// shutdown(2) wakes nobody who waits for an AF_UNIX listener, and a listener that is not accepted
// from is not watched. It is not to be read; the same for every caller. Call before serving.
int descriptor() noexcept;

// A blocking model that waits in recv(2) instead of accept(2) names that socket here while it does:
// the signal ends the socket's input, so that recv returns what has arrived and then 0. -1: none.
// For one thread of a process.
void also_ends_input_of(int connection) noexcept;

// In a child made by fork(2), while signals are blocked, or before install() in a program that such
// a child executes: forget the listeners, which the parent shuts down, and end the input of
// `connection` in their place. A second signal, which Ctrl-C and the parent may both send, means
// nothing here: the parent decides when the time is over, and its children end with it.
void adopt_in_child(int connection) noexcept;

// Removes the socket file, if there is one and it is still this server's. Without the right to do so,
// as after --user in a folder of root's, it stays, and the next server takes it over.
void remove_socket_file() noexcept;

}  // namespace muxbench::stop_signal
