#include "processes/children.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "runtime/stop_signal.h"

namespace muxbench::children {
namespace {

// Changed by the handler, and by start() while the handler is blocked. Only start() makes it grow,
// so the handler never allocates.
std::vector<pid_t> pids;
std::atomic<std::size_t> count = 0;
std::atomic<int> status_of_last = 0;

// Nothing interrupts what is done while one of these lives.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  const sigset_t& mask_before() const { return before_; }

 private:
  sigset_t before_;
};

// Standard signals coalesce: one SIGCHLD may stand for many children.
void on_sigchld(int) noexcept {
  const int saved_errno = errno;
  int status = 0;
  for (pid_t ended; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto found = std::find(pids.begin(), pids.end(), ended);
    if (found == pids.end()) continue;
    *found = pids.back();
    pids.pop_back();
    status_of_last = status;
    count = pids.size();
  }
  errno = saved_errno;
}

}  // namespace

void reap_as_they_end() {
  struct sigaction action {};
  action.sa_handler = on_sigchld;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  ::sigaction(SIGCHLD, &action, nullptr);
}

pid_t start(int connection) {
  const BlockSignals blocked;
  pids.reserve(pids.size() + 1);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child > 0) {
    pids.push_back(child);
    count = pids.size();
  } else if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);  // it ended before prctl took effect
    ::signal(SIGCHLD, SIG_DFL);
    // Before any signal can come: Ctrl-C reaches the child itself and then once more through
    // stop_all(), and to a child that took itself for the server the second would be the last.
    stop_signal::adopt_in_child(connection);
    pids.clear();
    count = 0;
  }
  return child;
}

std::size_t running() noexcept { return count; }

int last_status() noexcept { return status_of_last; }

void stop_all(int signal) {
  const BlockSignals blocked;
  for (const pid_t pid : pids) ::kill(pid, signal);
  while (!pids.empty()) ::sigsuspend(&blocked.mask_before());
}

}  // namespace muxbench::children
