#include "system/abandoned.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/directory.h"
#include "base/error.h"

namespace muxbench {
namespace {

constexpr std::string_view kBegin = "muxbench-";

// "muxbench-1234-7": 1234; 0 if it is no such name.
pid_t owner_in(const std::string& name) {
  if (!name.starts_with(kBegin)) return 0;
  char* end = nullptr;
  const long pid = std::strtol(name.c_str() + kBegin.size(), &end, 10);
  return *end == '-' && pid > 0 ? static_cast<pid_t>(pid) : 0;
}

bool is_dead(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

bool is_own(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid();
}

}  // namespace

std::string own_prefix() { return fmt::format("{}{}-", kBegin, ::getpid()); }

UniqueFd mark_as_owned(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

std::vector<Abandoned> abandoned_in(const std::string& parent) {
  std::vector<Abandoned> found;
  for (const std::string& name : names_in(parent)) {
    const pid_t owner = owner_in(name);
    if (owner == 0 || !is_dead(owner)) continue;
    Abandoned folder{parent + "/" + name, mark_as_owned(parent + "/" + name)};
    if (folder.lock && is_own(folder.lock.get())) found.push_back(std::move(folder));
  }
  return found;
}

}  // namespace muxbench
