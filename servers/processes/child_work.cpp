#include "processes/child_work.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"

namespace muxbench {
namespace {

int work_folder = -1;  // O_PATH

// In the child of vfork(2), which has our memory until the exec: nothing here writes to any, and no
// handler of ours may run. Returns only if there is no find.
void become_find(pid_t server) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != server) ::_exit(0);  // it ended before prctl took effect
  ::close(STDIN_FILENO);
  ::open("/dev/null", O_RDWR);  // the lowest that is free: standard input
  ::dup2(STDIN_FILENO, STDOUT_FILENO);
  ::dup2(STDIN_FILENO, STDERR_FILENO);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::fchdir(work_folder) == 0) ::execlp("find", "find", ".", nullptr);
}

void wait_for(pid_t child) noexcept {
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

const char* folder_of(const Options& options) noexcept {
  return options.root.empty() ? "." : options.root.c_str();
}

Error cannot_read(const Options& options) {
  return make_error(
      "cannot read the folder {}, over which the work of each request goes: {}; make it readable "
      "for the user that serves (--user), or name another with --root",
      folder_of(options), describe(last_errno()));
}

}  // namespace

Result<> open_child_work(const Options& options) {
  if (!options.work.child) return {};
  work_folder = ::open(folder_of(options), O_PATH | O_DIRECTORY | O_CLOEXEC);
  return work_folder >= 0 ? Result<>() : cannot_read(options);
}

Result<> check_child_work(const Options& options) {
  if (!options.work.child) return {};
  const UniqueFd opened(::openat(work_folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened ? Result<>() : cannot_read(options);
}

// The child dies with the server, in whatever way that ends: the deadline of a stop, a second
// signal and SIGKILL leave no chance to end it. (PR_SET_PDEATHSIG goes by the thread that starts
// the child; here that is an event loop's, or one that waits for it.) posix_spawn(3) cannot ask for
// that, so this is what it does: vfork and not fork, because the cost of that grows with the
// server's memory. -1: it could not be started.
pid_t start_child_work() noexcept {
  const pid_t server = ::getpid();
  volatile bool failed = false;  // written by the child
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::vfork();
  if (child == 0) {
    become_find(server);
    failed = true;
    ::_exit(127);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!failed) return child;
  wait_for(child);
  return -1;
}

bool run_child_work() noexcept {
  const pid_t child = start_child_work();
  if (child < 0) return false;
  wait_for(child);
  return true;
}

}  // namespace muxbench
