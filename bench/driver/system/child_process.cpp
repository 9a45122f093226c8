#include "system/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <set>
#include <utility>

#include "system/interrupt.h"
#include "system/process_tree.h"

namespace muxbench {
namespace {

constexpr std::size_t kErrorBytes = 64 * 1024;
constexpr std::size_t kLongestOutput = 256 * 1024 * 1024;  // a histogram is far smaller

// A file in memory that cannot grow: a program that floods its standard error fills it and goes
// on with failing writes; it is never blocked by a full pipe, and the driver never has to drain.
UniqueFd error_store() {
  UniqueFd fd(::memfd_create("stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd && ::ftruncate(fd.get(), kErrorBytes) == 0) {
    ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK);
  }
  return fd;
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return make_error("cannot create a pipe: {}; raise the descriptor limit (ulimit -n)",
                      describe(last_errno()));
  }
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

bool limit_memory(const SpawnOptions& options) noexcept {
  if (options.expendable) {
    const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    [[maybe_unused]] const auto written = ::write(file, "1000", 4);
  }
  const rlimit most{.rlim_cur = options.memory_limit, .rlim_max = options.memory_limit};
  return options.memory_limit == 0 || ::setrlimit(RLIMIT_DATA, &most) == 0;
}

// Runs in the child, with calls that are safe after fork(2). Comes back only if it failed.
void become(const SpawnOptions& options, char* const* arguments, const cpu_set_t& cpus,
            pid_t parent, int input, int output, int errors) noexcept {
  restore_signals();
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the driver died before the line above
  if (options.cgroup_procs >= 0 && ::write(options.cgroup_procs, "0", 1) != 1) return;
  if (options.network >= 0 && ::setns(options.network, CLONE_NEWNET) != 0) return;
  if (!options.cpus.empty() && ::sched_setaffinity(0, sizeof cpus, &cpus) != 0) return;
  if (!limit_memory(options)) return;
  if (input < 0) input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, STDIN_FILENO) < 0) return;
  if (::dup2(output, STDOUT_FILENO) < 0 || ::dup2(errors, STDERR_FILENO) < 0) return;
  ::execv(arguments[0], arguments);
}

// By vfork(2): the driver's memory may be large, and its page tables need not be copied for a child
// that only makes system calls. An error of the child before exec goes to `failure`.
pid_t start_child(const SpawnOptions& options, char* const* arguments, const cpu_set_t& cpus,
                  int input, int output, int errors, int failure) noexcept {
  const pid_t parent = ::getpid();
  const pid_t child = ::vfork();
  if (child != 0) return child;
  become(options, arguments, cpus, parent, input, output, errors);
  const int error = errno;
  [[maybe_unused]] const auto told = ::write(failure, &error, sizeof error);
  ::_exit(127);
}

// The driver has one thread, so these need no lock.
std::set<pid_t> started_here;                           // what a ChildProcess stands for
std::set<std::pair<pid_t, std::uint64_t>> disregarded;  // with their start, as numbers come again

}  // namespace

Result<ChildProcess> ChildProcess::start(const SpawnOptions& options) {
  ChildProcess child;
  Pipe input;
  if (options.listens) {
    auto made = make_pipe();
    if (!made) return made.error();
    input = std::move(*made);
  }
  auto output = make_pipe();
  auto failure = make_pipe();  // close-on-exec: silence means that exec succeeded
  if (!output) return output.error();
  if (!failure) return failure.error();
  child.grace_ = options.grace;
  child.errors_ = error_store();
  if (!child.errors_) return make_error("cannot create a memory file: {}", describe(last_errno()));

  std::vector<char*> arguments;
  for (const std::string& word : options.command) {
    arguments.push_back(const_cast<char*>(word.c_str()));  // execv(3) does not write to them
  }
  arguments.push_back(nullptr);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const int cpu : options.cpus) CPU_SET(static_cast<unsigned>(cpu), &cpus);

  child.pid_.value = start_child(options, arguments.data(), cpus, input.read.get(),
                                 output->write.get(), child.errors_.get(), failure->write.get());
  if (child.pid_.value < 0) {
    return make_error("cannot start {}: {}; raise the process limit (ulimit -u)",
                      options.command[0], describe(last_errno()));
  }
  started_here.insert(child.pid_.value);
  ::setpgid(child.pid_.value, child.pid_.value);  // in both, so that neither has to wait
  child.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_.value, 0)));
  if (child.pidfd_) ::fcntl(child.pidfd_.get(), F_SETFD, FD_CLOEXEC);
  failure->write.reset();
  child.input_ = std::move(input.write);
  child.output_ = std::move(output->read);
  int error = 0;
  while (::read(failure->read.get(), &error, sizeof error) < 0 && errno == EINTR) {
  }
  if (error != 0) {
    return make_error("cannot start {}: {}; check that the file is there and may be executed",
                      options.command[0], describe(Errno{error}));
  }
  return child;
}

ChildProcess::~ChildProcess() {
  if (pid_.value < 0) return;
  if (grace_ > Nanoseconds(0) && !has_ended()) {
    ::kill(pid_.value, SIGTERM);
    wait_until(Clock::now() + grace_);
  }
  signal_group(SIGKILL);  // also what an ended server has left in its group
  while (::waitpid(pid_.value, nullptr, 0) < 0 && errno == EINTR) {
  }
  started_here.erase(pid_.value);
}

Wait ChildProcess::read_line(std::string& line, Clock::time_point deadline, int watched) {
  while (true) {
    if (const auto newline = buffered_.find('\n'); newline != std::string::npos) {
      line = buffered_.substr(0, newline);
      buffered_.erase(0, newline + 1);
      return Wait::line;
    }
    std::array<pollfd, 3> ready{pollfd{output_.get(), POLLIN, 0}, pollfd{watched, POLLIN, 0},
                                pollfd{interrupt_fd(), POLLIN, 0}};
    const int count = ::poll(ready.data(), ready.size(), milliseconds_until(deadline));
    if (interrupted()) return Wait::interrupted;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Wait::timeout;
    if (ready[0].revents != 0) {
      std::array<char, 65536> chunk{};
      const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got > 0 && buffered_.size() < kLongestOutput) {
        buffered_.append(chunk.data(), static_cast<std::size_t>(got));
        continue;
      }
      line = std::exchange(buffered_, {});
      return Wait::end_of_output;
    }
    if (ready[1].revents != 0) return Wait::exited;
  }
}

void ChildProcess::say(std::string_view line) const noexcept {
  const std::array<iovec, 2> pieces{iovec{const_cast<char*>(line.data()), line.size()},
                                    iovec{const_cast<char*>("\n"), 1}};
  [[maybe_unused]] const auto written = ::writev(input_.get(), pieces.data(), 2);
}

void ChildProcess::signal_group(int number) const noexcept {
  if (pid_.value > 0) ::kill(-pid_.value, number);
}

bool ChildProcess::has_ended() noexcept {
  if (status_) return true;
  siginfo_t info{};
  rusage usage{};
  // The system call has a place for the usage, and waitid(3) has not.
  const long failed =
      ::syscall(SYS_waitid, P_PID, pid_.value, &info, WEXITED | WNOHANG | WNOWAIT, &usage);
  if (failed != 0 || info.si_pid == 0) return false;
  peak_resident_bytes_ = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  // waitid(2) tells in two fields what waitpid(2) packs into one number.
  status_ = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
  return true;
}

std::optional<int> ChildProcess::wait_until(Clock::time_point deadline) {
  while (!has_ended()) {
    const int left = milliseconds_until(deadline);
    if (left == 0) return {};
    pollfd ready{pidfd_.get(), POLLIN, 0};
    // Without pidfd_open(2) (before Linux 5.3) the descriptor is -1 and this is a short sleep.
    ::poll(&ready, 1, pidfd_ ? left : std::min(left, 5));
  }
  return status_;
}

std::string ChildProcess::error_output() const {
  std::string text(kErrorBytes, '\0');
  const ssize_t got = ::pread(errors_.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? ::strnlen(text.data(), static_cast<std::size_t>(got)) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string ChildProcess::last_words() const {
  std::string text = error_output();
  if (const auto newline = text.rfind('\n'); newline != std::string::npos) {
    text.erase(0, newline + 1);
  }
  return text;
}

std::string describe_status(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return name == nullptr ? fmt::format("was killed by signal {}", WTERMSIG(status))
                           : fmt::format("was killed by SIG{}", name);
  }
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

void adopt_orphans() noexcept { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::vector<pid_t> adopted_orphans() {
  std::vector<pid_t> orphans;
  for (const pid_t pid : children_of(::getpid())) {
    if (started_here.contains(pid)) continue;
    const auto stat = disregarded.empty() ? std::nullopt : read_stat(pid);
    if (!stat || !disregarded.contains({pid, stat->started})) orphans.push_back(pid);
  }
  return orphans;
}

void disregard_orphans() {
  disregarded.clear();
  for (const pid_t pid : adopted_orphans()) {
    if (const auto stat = read_stat(pid)) disregarded.insert({pid, stat->started});
  }
}

void reap_orphans() noexcept {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace muxbench
