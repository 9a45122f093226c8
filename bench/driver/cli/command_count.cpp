// muxbench count: runs a program and tells what it and its children asked of the kernel. It is how
// the driver counts, made usable by itself, and how the tests prove that its counts are exact.
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <utility>

#include "base/output.h"
#include "cli/commands.h"
#include "system/counting/counts_json.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

struct CountOptions {
  std::string backend;  // empty: the first that works
  std::string out;      // empty: standard error
  std::vector<std::string> command;
};

Result<std::unique_ptr<SyscallCounter>> open_counter(const std::string& backend) {
  std::string reasons;
  for (const char* name : kCountingBackends) {
    if (!backend.empty() && backend != name) continue;
    TriedBackend tried = try_backend(name);
    if (tried.counter) return std::move(tried.counter);
    reasons += fmt::format("; {}: {}", name, tried.backend.reason);
  }
  return Error{"system calls cannot be counted here" + reasons, Exit::unavailable};
}

// Its own streams, watched and in the group (if there is one) from before its first call; never
// comes back.
[[noreturn]] void become(const std::vector<std::string>& command, int procs, int start) {
  char go = 0;
  if (::read(start, &go, 1) != 1) ::_exit(1);  // the driver could not watch, and has said so
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  restore_signals();
  if (procs < 0 || ::write(procs, "0", 1) == 1) ::execvp(arguments[0], arguments.data());
  const Error error =
      usage_error("cannot start {}: {}; check that the file is there and may be executed",
                  command[0], describe(last_errno()));
  ::_exit(print_error(kProgram, error));
}

// A signal to the driver is passed on, so that a server ends as it should. It may come at any time:
// a blocking waitpid(2) would miss one that comes just before it.
int wait_for(pid_t child) {
  const UniqueFd ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const int most_ms = ended ? -1 : 5;  // before Linux 5.3
  std::array<pollfd, 2> wakers{pollfd{ended.get(), POLLIN, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    ::poll(wakers.data(), wakers.size(), most_ms);
    if (interrupted() && std::exchange(wakers[1].fd, -1) >= 0) ::kill(child, SIGTERM);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int count(const CountOptions& options) {
  auto counter = open_counter(options.backend);
  if (!counter) return print_error(kProgram, counter.error());
  const auto group = Cgroup::make();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return print_error(kProgram, make_error("no pipe: {}", describe(last_errno())));
  }
  const UniqueFd start(ends[0]);
  UniqueFd go(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    go.reset();
    become(options.command, group ? group->procs_fd() : -1, start.get());
  }
  if (child < 0)
    return print_error(kProgram, make_error("cannot fork: {}", describe(last_errno())));
  const auto watching = (*counter)->watch({group ? &*group : nullptr, child});
  const auto before = watching ? (*counter)->read() : Result<SyscallCounts>(watching.error());
  if (before) {
    [[maybe_unused]] const auto told = ::write(go.get(), "g", 1);
  }
  go.reset();
  if (!before) {
    wait_for(child);
    return print_error(kProgram, before.error());
  }
  const int status = wait_for(child);
  const auto counts = (*counter)->read();
  if (!counts) return print_error(kProgram, counts.error());
  const std::string text = to_json(*counts - *before, (*counter)->backend()).dump(2) + "\n";
  if (options.out.empty()) {
    write_error(text);
  } else if (!(std::ofstream(options.out) << text).flush()) {
    return print_error(kProgram,
                       make_error("cannot write {}; choose another place with --out", options.out));
  }
  return status;
}

}  // namespace

void add_count_command(CLI::App& app, int& status) {
  auto options = std::make_shared<CountOptions>();
  CLI::App* command = app.add_subcommand(
      "count", "Run a program and print how many system calls it and its children made, as JSON");
  command
      ->add_option("--backend", options->backend,
                   "How to count: bpf, perf or inherit (default: the first that works here)")
      ->check(one_of({"bpf", "perf", "inherit"}));
  command->add_option("--out", options->out,
                      "Write the counts to this file (default: standard "
                      "error)");
  command->add_option("COMMAND", options->command, "The program and its arguments, after --")
      ->required();
  name_values(*command, {{"NAME", {"--backend"}}, {"FILE", {"--out"}}});
  command->callback([options, &status] { status = count(*options); });
}

}  // namespace muxbench
