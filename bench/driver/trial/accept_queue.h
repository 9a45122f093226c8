// Connections that are established for their clients while the server has yet to accept them.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "net/address.h"

namespace muxbench {

// How many wait at the listeners of this port, by proc_net_tcp(5) (rx_queue of a listener). Nothing
// for AF_UNIX, or when no listener is there.
std::optional<std::uint64_t> accept_queue(const Address& address);

// Until none waits, patience ends, or the driver is interrupted. connect(2) succeeds before
// accept(2): a server that forks for each of thousands would get its load while it still works on
// them. Returns how many still wait.
std::uint64_t await_accepted(const Address& address, Nanoseconds patience);

}  // namespace muxbench
