// A network of our own: a private loopback with its own ports, settings and counters, so that
// neither the host's traffic nor its sysctls reach the measurement, and the host is not changed.
#pragma once

#include "base/result.h"

namespace muxbench {

// Moves this process, and what it starts from now on, into a new network namespace whose loopback
// is up. As root by unshare(2) alone, else inside a user namespace. The process must have one
// thread. The error says what is missing.
Result<> enter_private_network();

// Whether it would work, found out by a child. For `doctor`.
Result<> try_private_network();

}  // namespace muxbench
