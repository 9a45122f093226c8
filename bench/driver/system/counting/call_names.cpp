#include "system/counting/call_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace muxbench {
namespace {

struct Numbered {
  unsigned number;
  std::string_view name;
};

// Made by CMake from <sys/syscall.h> of this architecture.
constexpr Numbered kSyscalls[] = {
#include "syscall_numbers.inc"
};

// enum io_uring_op of <linux/io_uring.h>, Linux 6.15.
constexpr std::array<std::string_view, 63> kRingOperations{"nop",
                                                           "readv",
                                                           "writev",
                                                           "fsync",
                                                           "read_fixed",
                                                           "write_fixed",
                                                           "poll_add",
                                                           "poll_remove",
                                                           "sync_file_range",
                                                           "sendmsg",
                                                           "recvmsg",
                                                           "timeout",
                                                           "timeout_remove",
                                                           "accept",
                                                           "async_cancel",
                                                           "link_timeout",
                                                           "connect",
                                                           "fallocate",
                                                           "openat",
                                                           "close",
                                                           "files_update",
                                                           "statx",
                                                           "read",
                                                           "write",
                                                           "fadvise",
                                                           "madvise",
                                                           "send",
                                                           "recv",
                                                           "openat2",
                                                           "epoll_ctl",
                                                           "splice",
                                                           "provide_buffers",
                                                           "remove_buffers",
                                                           "tee",
                                                           "shutdown",
                                                           "renameat",
                                                           "unlinkat",
                                                           "mkdirat",
                                                           "symlinkat",
                                                           "linkat",
                                                           "msg_ring",
                                                           "fsetxattr",
                                                           "setxattr",
                                                           "fgetxattr",
                                                           "getxattr",
                                                           "socket",
                                                           "uring_cmd",
                                                           "send_zc",
                                                           "sendmsg_zc",
                                                           "read_multishot",
                                                           "waitid",
                                                           "futex_wait",
                                                           "futex_wake",
                                                           "futex_waitv",
                                                           "fixed_fd_install",
                                                           "ftruncate",
                                                           "bind",
                                                           "listen",
                                                           "recv_zc",
                                                           "epoll_wait",
                                                           "readv_fixed",
                                                           "writev_fixed",
                                                           "pipe"};

constexpr std::array<std::string_view, 29> kNumbers{
    "read",        "write",        "readv",        "writev",    "pread64",       "pwrite64",
    "preadv",      "pwritev",      "preadv2",      "pwritev2",  "recvfrom",      "sendto",
    "recvmsg",     "sendmsg",      "recvmmsg",     "sendmmsg",  "sendfile",      "splice",
    "tee",         "poll",         "ppoll",        "select",    "pselect6",      "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "io_getevents", "io_submit", "io_uring_enter"};

}  // namespace

std::string syscall_name(unsigned number) {
  const auto* found = std::find_if(std::begin(kSyscalls), std::end(kSyscalls),
                                   [&](const Numbered& call) { return call.number == number; });
  if (found == std::end(kSyscalls)) return fmt::format("syscall_{}", number);
  return std::string(found->name);
}

std::string ring_operation_name(unsigned opcode) {
  if (opcode >= kRingOperations.size()) return fmt::format("operation_{}", opcode);
  return std::string(kRingOperations[opcode]);
}

bool result_is_a_number(std::string_view syscall) {
  return std::find(kNumbers.begin(), kNumbers.end(), syscall) != kNumbers.end();
}

}  // namespace muxbench
