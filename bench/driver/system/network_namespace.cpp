#include "system/network_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/unique_fd.h"

namespace muxbench {
namespace {

bool write_file(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// user_namespaces(7): this user stays itself inside, and holds the capabilities until exec(3).
Result<> enter_user_namespace() {
  const uid_t user = ::getuid();
  const gid_t group = ::getgid();
  if (::unshare(CLONE_NEWUSER) != 0) {
    return make_error(
        "no user namespace: {}; run as root, or allow them (sysctl "
        "kernel.unprivileged_userns_clone=1)",
        describe(last_errno()));
  }
  const bool mapped = write_file("/proc/self/setgroups", "deny") &&
                      write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) &&
                      write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
  if (!mapped) return make_error("the user namespace refuses its maps: {}", describe(last_errno()));
  return {};
}

Result<> bring_loopback_up() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!fd || ::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return make_error("the private loopback cannot be brought up: {}", describe(last_errno()));
  }
  return {};
}

}  // namespace

Result<> enter_private_network() {
  if (::unshare(CLONE_NEWNET) != 0) {
    if (auto entered = enter_user_namespace(); !entered) return entered;
    if (::unshare(CLONE_NEWNET) != 0) {
      return make_error("no network namespace: {}; run as root", describe(last_errno()));
    }
  }
  return bring_loopback_up();
}

Result<> try_private_network() {
  // A user namespace could not be left again, so a child tries and tells by its exit status.
  const pid_t child = ::fork();
  if (child < 0) return make_error("cannot fork: {}", describe(last_errno()));
  if (child == 0) ::_exit(enter_private_network() ? 0 : 1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return make_error(
      "neither a network namespace nor a user namespace may be made here; run as root, or "
      "allow them (sysctl kernel.unprivileged_userns_clone=1)");
}

}  // namespace muxbench
