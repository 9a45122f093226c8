#include "common/work.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

namespace muxbench {
namespace {

std::atomic<Nanoseconds> spin_time{};  // every worker thread sets it, to the same

void spin() noexcept {
  const auto end = Clock::now() + spin_time.load(std::memory_order_relaxed);
  while (Clock::now() < end) {
  }
}

// What is the same for every child: no input, no output, no signal blocked or ignored that we
// block or ignore.
class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes, &signals);
    ::sigaddset(&signals, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &signals);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// posix_spawn and not fork: it shares the memory of the parent until the exec, so that its cost
// does not grow with the server. -1: it could not be started.
pid_t start_find(const std::string& root) noexcept {
  static const SpawnSettings settings;
  char find[] = "find";
  const std::string folder = root.empty() ? "." : root;
  char* const arguments[] = {find, const_cast<char*>(folder.c_str()), nullptr};
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, find, &settings.actions, &settings.attributes, arguments, environ);
  return error == 0 ? child : -1;
}

}  // namespace

auto make_request_hook(Nanoseconds spin_for) noexcept -> void (*)() noexcept {
  spin_time.store(spin_for, std::memory_order_relaxed);
  return spin_for.count() > 0 ? &spin : nullptr;
}

bool run_child_work(const Options& options) noexcept {
  const pid_t child = start_find(options.root);
  if (child < 0) return false;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return true;
}

ChildWork::ChildWork(const Options& options) noexcept : options_(options) {
  if (!options.work.child) return;
  sigset_t ended;
  ::sigemptyset(&ended);
  ::sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ended, nullptr);
  signals_.reset(::signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool ChildWork::start(Token connection) {
  const pid_t child = start_find(options_.root);
  if (child > 0) connection_of_[child] = connection;
  return child > 0;
}

void ChildWork::take_signal() noexcept {
  signalfd_siginfo ignored;
  [[maybe_unused]] const ssize_t taken = ::read(signals_.get(), &ignored, sizeof ignored);
}

pid_t ChildWork::take_ended() noexcept { return ::waitpid(-1, nullptr, WNOHANG); }

}  // namespace muxbench
