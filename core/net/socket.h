// Making stream sockets: the listener that every server starts with, and a plain blocking
// connection for tools and tests. All sockets are close-on-exec.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/address.h"

namespace muxbench {

struct ListenOptions {
  int backlog = 4096;
  bool nonblocking = false;
  bool reuse_port = false;  // SO_REUSEPORT: several listeners share the address
};

// A listening socket with SO_REUSEADDR. A socket file that no server listens on any more is
// replaced.
Result<UniqueFd> listen_on(const Address& address, const ListenOptions& options);

// A connected blocking socket with TCP_NODELAY whose every connect, recv and send ends within
// `timeout` (EAGAIN then).
Result<UniqueFd> connect_to(const Address& address, Nanoseconds timeout);

// Small messages go out at once instead of waiting for an acknowledgement. Does nothing to an
// AF_UNIX socket.
void set_nodelay(int fd) noexcept;

// fcntl(2) O_NONBLOCK, on or off.
void set_nonblocking(int fd, bool on) noexcept;

}  // namespace muxbench
