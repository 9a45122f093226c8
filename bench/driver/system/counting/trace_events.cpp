#include "system/counting/trace_events.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace muxbench {
namespace {

constexpr const char* kAnyEvent = "events/raw_syscalls/sys_enter/id";

// glibc 2.36 declares these calls, older ones do not.
UniqueFd mount_privately() {
  const auto context = UniqueFd(static_cast<int>(::syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC)));
  if (!context) return {};
  if (::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return {};
  }
  return UniqueFd(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
}

}  // namespace

Result<TraceEvents> TraceEvents::open() {
  for (const char* place : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    UniqueFd root(::open(place, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root && ::faccessat(root.get(), kAnyEvent, R_OK, 0) == 0)
      return TraceEvents(std::move(root));
  }
  UniqueFd root = mount_privately();
  if (!root) {
    return make_error(
        "the kernel's list of tracepoints (tracefs) cannot be read or mounted: {}; run as root, or "
        "let root make it readable (mount -o remount,gid=YOURS,mode=750 /sys/kernel/tracing)",
        describe(last_errno()));
  }
  if (::faccessat(root.get(), kAnyEvent, R_OK, 0) != 0) {
    return make_error(
        "the kernel has no raw_syscalls tracepoints; use one with CONFIG_FTRACE_SYSCALLS");
  }
  return TraceEvents(std::move(root));
}

Result<std::uint64_t> TraceEvents::id(const std::string& event) const {
  const std::string path = "events/" + event + "/id";
  const UniqueFd file(::openat(root_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 32> text{};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) {
    return make_error("the kernel has no tracepoint {}: {}", event, describe(last_errno()));
  }
  return std::strtoull(text.data(), nullptr, 10);
}

}  // namespace muxbench
