// Wakes threads that sleep in epoll_wait(2) or poll(2): an eventfd(2).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/unique_fd.h"

namespace muxbench::loadgen {

class EventFd {
 public:
  int fd() const noexcept { return fd_.get(); }

  // An edge for each epoll instance that watches it, and readable until it is awaited.
  void notify() const noexcept {
    const std::uint64_t once = 1;
    while (::write(fd(), &once, sizeof once) < 0 && errno == EINTR) continue;
  }

  // Sleeps until it was notified, if it was not since the last time.
  void await() const noexcept {
    std::uint64_t times = 0;
    while (::read(fd(), &times, sizeof times) < 0 && errno == EINTR) continue;
  }

 private:
  UniqueFd fd_{::eventfd(0, EFD_CLOEXEC)};
};

}  // namespace muxbench::loadgen
