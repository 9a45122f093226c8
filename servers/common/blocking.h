// Small things that the models with blocking calls share.
#pragma once

#include "base/unique_fd.h"
#include "common/accept_gate.h"
#include "common/model.h"
#include "common/stop_signal.h"

namespace muxbench {

// --idle-timeout for blocking calls: recv and send on `fd` fail with EAGAIN after so long. 0: they
// wait for ever.
void set_io_timeout(int fd, Nanoseconds timeout) noexcept;

// Sleeps until a closed accept gate is worth another look, or until a signal.
void wait_a_moment() noexcept;

}  // namespace muxbench
