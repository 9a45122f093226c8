// What a data-moving system call, or an io_uring completion, came back with: a count, or an errno
// as a negative number. It fits a register, and the hot paths of servers and load generator branch
// on it without allocating.
#pragma once

#include <cerrno>
#include <cstddef>

#include "base/error.h"

namespace muxbench {

class [[nodiscard]] IoResult {
 public:
  // For io_uring: cqe->res follows this convention already.
  static IoResult from_res(long res) noexcept { return IoResult(res); }
  // For system calls: -1 and errno become one number.
  static IoResult from_call(long value) noexcept { return IoResult(value < 0 ? -errno : value); }

  bool ok() const noexcept { return res_ >= 0; }
  std::size_t count() const noexcept { return static_cast<std::size_t>(res_); }
  int fd() const noexcept { return static_cast<int>(res_); }
  Errno error() const noexcept { return static_cast<Errno>(-res_); }

  bool end_of_file() const noexcept { return res_ == 0; }
  bool would_block() const noexcept { return res_ == -EAGAIN; }  // EWOULDBLOCK is the same number
  bool interrupted() const noexcept { return res_ == -EINTR; }

 private:
  explicit IoResult(long res) noexcept : res_(res) {}
  long res_;
};

}  // namespace muxbench
