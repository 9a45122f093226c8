// A conversation in blocking calls.
#pragma once

#include "base/clock.h"
#include "protocol/session.h"

namespace muxbench {

// --idle-timeout for blocking calls: recv and send on `fd` fail with EAGAIN after so long. 0: they
// wait for ever.
void set_io_timeout(int fd, Nanoseconds timeout) noexcept;

// recv(2) and send(2) on a blocking socket until the conversation is over or broken; shutdown(2)
// where the session half-closes. Whoever calls it closes the socket. With --work child it waits for
// each child.
//
// set_io_timeout() begins anew with every byte. So that a request which dribbles in does not hold
// its connection for ever, it must be whole `request_limit` after it began, or by the end of the read
// that is then waited in. 0: no limit.
void converse(int fd, Session& session, Nanoseconds request_limit) noexcept;

}  // namespace muxbench
