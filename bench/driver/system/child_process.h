// A program that the driver started: its own process group, pinned, its standard output a pipe and
// the beginning of its standard error kept. It never outlives the driver, nor this object.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

struct SpawnOptions {
  std::vector<std::string> command;
  std::vector<int> cpus;  // sched_setaffinity(2) before exec; empty: the driver's own
  int cgroup_procs = -1;  // a cgroup.procs file that the child writes itself into before exec
  int network = -1;       // a network namespace that it enters before exec
  bool listens = false;   // its standard input is a pipe that say() writes to; else /dev/null
  std::uint64_t memory_limit = 0;  // RLIMIT_DATA of each of its processes; 0: none
  bool expendable = false;         // when the machine runs out of memory, it goes before others
  // From SIGTERM to SIGKILL when it has to end: for a launcher, which ends what it started elsewhere.
  Nanoseconds grace{};
};

enum class Wait { line, end_of_output, exited, timeout, interrupted };

class ChildProcess {
 public:
  static Result<ChildProcess> start(const SpawnOptions& options);
  ChildProcess(ChildProcess&&) = default;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // SIGKILL to the group, after its grace, and waits

  pid_t pid() const noexcept { return pid_.value; }
  int pidfd() const noexcept { return pidfd_.get(); }  // readable when it has exited

  // The next line of its output, in `line`. `watched` is a pidfd of another process whose end is
  // told as Wait::exited. At the end of output the rest without newline is in `line`.
  Wait read_line(std::string& line, Clock::time_point deadline, int watched = -1);

  // Writes a line to its standard input. One that is gone or does not read misses it.
  void say(std::string_view line) const noexcept;

  void signal_group(int number) const noexcept;
  // Its status as waitpid(2) gives it; nothing when it still runs at the deadline. An ended process
  // stays a zombie while this object lives, so that its number and its group's stay its own.
  std::optional<int> wait_until(Clock::time_point deadline);
  // The most that it, or a child that it waited for, had resident; once it was seen to end.
  std::uint64_t peak_resident_bytes() const noexcept { return peak_resident_bytes_; }
  // The status, if it was seen to end.
  std::optional<int> status() const noexcept { return status_; }

  // What it wrote to standard error, as far as it is kept, without newlines at the end; its last line.
  std::string error_output() const;
  std::string last_words() const;

 private:
  ChildProcess() = default;
  bool has_ended() noexcept;

  struct Pid {  // moved-from objects own nothing
    pid_t value = -1;
    explicit Pid(pid_t pid = -1) : value(pid) {}
    Pid(Pid&& other) noexcept : value(std::exchange(other.value, -1)) {}
  };
  Pid pid_;
  UniqueFd pidfd_;
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd errors_;
  std::string buffered_;
  Nanoseconds grace_{};
  std::optional<int> status_;
  std::uint64_t peak_resident_bytes_ = 0;
};

// "exited with status 3", "was killed by SIGSEGV"
std::string describe_status(int status);

// From here on the orphans of servers become children of the driver (PR_SET_CHILD_SUBREAPER), whatever
// they did to their process group and session.
void adopt_orphans() noexcept;
// The children that no ChildProcess stands for, also those that have ended; without those that were
// there at the last disregard_orphans().
std::vector<pid_t> adopted_orphans();
// Those that are there now are not the next server's: a shell that executes the driver by exec leaves
// its own children to it.
void disregard_orphans();
// Collects those that have ended. Only where no other child of the driver runs.
void reap_orphans() noexcept;

}  // namespace muxbench
