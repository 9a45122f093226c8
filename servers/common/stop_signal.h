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

// A blocking model that waits in recv(2) instead of accept(2) names that socket here while it does:
// the signal ends the socket's input, so that recv returns what has arrived and then 0. -1: none.
// For one thread of a process.
void also_ends_input_of(int connection) noexcept;

// In a child made by fork(2): forget the parent's listener and end the input of `connection` in its
// place.
void adopt_in_child(int connection) noexcept;

// Removes the socket file, if there is one.
void remove_socket_file() noexcept;

}  // namespace muxbench::stop_signal
