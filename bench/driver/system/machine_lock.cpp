#include "system/machine_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/directory.h"

namespace muxbench {
namespace {

// All users lock the same file, which takes only the right to read it. Whatever else another user has
// put in its place is not waited for.
UniqueFd open_lock(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd fd(::open(path.c_str(), kFlags));
  if (!fd && errno == ENOENT) {
    fd.reset(::open(path.c_str(), kFlags | O_CREAT, 0644));
    if (fd) ::fchmod(fd.get(), 0644);
  }
  return fd;
}

}  // namespace

Result<MachineLock> MachineLock::take(bool shared) {
  const std::string path = temporary_folder() + "/muxbench.lock";
  MachineLock lock(open_lock(path));
  const int how = shared ? LOCK_SH : LOCK_EX;
  const bool taken = lock.fd_ && ::flock(lock.fd_.get(), how | LOCK_NB) == 0;
  if (taken || shared || errno != EWOULDBLOCK) return lock;
  return usage_error(
      "another run measures on this machine (it holds {}); wait for its end, or give "
      "--share-machine where disturbed figures do not matter",
      path);
}

}  // namespace muxbench
