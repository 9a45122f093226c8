#include "processes/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/parse.h"

namespace muxbench::privileges {
namespace {

constexpr const char* kDefaultUser = "nobody";
constexpr uid_t kOverflowUser = 65534;  // "nobody" where no file says so

std::optional<User> find(const std::string& name) {
  if (const passwd* entry = ::getpwnam(name.c_str()); entry != nullptr) {
    return User{.name = name, .uid = entry->pw_uid, .gid = entry->pw_gid};
  }
  const auto number = parse_count(name);
  if (!number || *number >= UINT32_MAX) return {};
  const auto uid = static_cast<uid_t>(*number);
  const passwd* entry = ::getpwuid(uid);
  return User{.uid = uid, .gid = entry != nullptr ? entry->pw_gid : uid};
}

std::string describe(const User& user) {
  return user.name.empty() ? fmt::format("user {}", user.uid) : "user " + user.name;
}

Result<> give_up_rights(const User& user) {
  const auto failed = [&] {
    return make_error(
        "cannot become {}: {}; give the server the capabilities SETUID and SETGID, or add --user "
        "root",
        describe(user), muxbench::describe(last_errno()));
  };
  if (::setresgid(user.gid, user.gid, user.gid) != 0) {
    // Root of a user namespace without that user, as unshare --map-root-user makes it, is an
    // ordinary user already.
    if (errno == EINVAL && user.is_default) return {};
    return failed();
  }
  const int grouped =
      user.name.empty() ? ::setgroups(0, nullptr) : ::initgroups(user.name.c_str(), user.gid);
  if (grouped != 0 || ::setresuid(user.uid, user.uid, user.uid) != 0) return failed();
  return {};
}

}  // namespace

Result<std::optional<User>> choose_user(const std::string& asked) {
  const bool is_root = ::geteuid() == 0;
  if (asked.empty() && !is_root) return std::optional<User>();
  auto user = find(asked.empty() ? kDefaultUser : asked);
  if (!user && asked.empty()) user = User{.uid = kOverflowUser, .gid = kOverflowUser};
  if (!user) return usage_error("there is no user {}; name one of /etc/passwd with --user", asked);
  user->is_default = asked.empty();
  if (user->uid == ::geteuid()) return std::optional<User>();
  if (!is_root) {
    return usage_error("only root can become {}; start the server as root, or leave --user out",
                       describe(*user));
  }
  return user;
}

Result<> become(const User& user, int listener, const std::string& socket_file) {
  if (listener >= 0) [[maybe_unused]]
    const int socket = ::fchown(listener, user.uid, user.gid);
  if (!socket_file.empty()) [[maybe_unused]]
    const int file = ::lchown(socket_file.c_str(), user.uid, user.gid);
  const pid_t parent = ::getppid();
  int signal_of_parents_death = 0;
  ::prctl(PR_GET_PDEATHSIG, &signal_of_parents_death);
  if (const auto given_up = give_up_rights(user); !given_up) return given_up;
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // The kernel forgets it when the user changes, and the server must not outlive who started it.
  if (signal_of_parents_death != 0) {
    ::prctl(PR_SET_PDEATHSIG, signal_of_parents_death);
    if (::getppid() != parent) ::raise(signal_of_parents_death);
  }
  return {};
}

}  // namespace muxbench::privileges
