#include "event_loop/pending_work.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes/child_work.h"

namespace muxbench {

PendingWork::PendingWork(const Options& options) noexcept {
  if (!options.work.child) return;
  sigset_t ended;
  ::sigemptyset(&ended);
  ::sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ended, nullptr);
  signals_.reset(::signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool PendingWork::start(Token token) {
  const pid_t child = start_child_work();
  if (child > 0) token_of_[child] = token;
  return child > 0;
}

void PendingWork::take_signal() noexcept {
  signalfd_siginfo ignored;
  [[maybe_unused]] const ssize_t taken = ::read(signals_.get(), &ignored, sizeof ignored);
}

pid_t PendingWork::take_ended() noexcept { return ::waitpid(-1, nullptr, WNOHANG); }

}  // namespace muxbench
