// One system call per function. Nothing here retries: EINTR and EAGAIN are the caller's to decide.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <span>

#include "net/io_result.h"

namespace muxbench::sys {

// accept4(2), always close-on-exec. Flags: SOCK_NONBLOCK or 0.
inline IoResult accept(int listener, int flags = 0) noexcept {
  return IoResult::from_call(::accept4(listener, nullptr, nullptr, flags | SOCK_CLOEXEC));
}

inline IoResult recv(int fd, std::span<std::byte> into, int flags = 0) noexcept {
  return IoResult::from_call(::recv(fd, into.data(), into.size(), flags));
}

// One piece goes by send(2), several by sendmsg(2). No SIGPIPE: EPIPE comes back instead.
inline IoResult send(int fd, std::span<const iovec> pieces, int flags = 0) noexcept {
  flags |= MSG_NOSIGNAL;
  if (pieces.size() == 1) {
    return IoResult::from_call(::send(fd, pieces[0].iov_base, pieces[0].iov_len, flags));
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg(2) does not write to it
  message.msg_iovlen = pieces.size();
  return IoResult::from_call(::sendmsg(fd, &message, flags));
}

}  // namespace muxbench::sys
