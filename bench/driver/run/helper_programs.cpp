#include "run/helper_programs.h"

#include <sys/wait.h>

#include <csignal>

#include "system/child_process.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

constexpr auto kGrace = std::chrono::seconds(5);  // from SIGTERM to SIGKILL
constexpr auto kStep = std::chrono::milliseconds(100);

// Its output until it has ended, or until the driver is interrupted.
void follow(ChildProcess& child, EndedProgram& ended) {
  std::string line;
  Wait wait = Wait::timeout;
  while (wait == Wait::line || wait == Wait::timeout) {
    wait = child.read_line(line, Clock::now() + std::chrono::hours(1));
    if (wait == Wait::line) ended.output += line + '\n';
  }
  if (wait == Wait::end_of_output) ended.output += line;
  while (!interrupted() && !child.wait_until(Clock::now() + kStep)) {
  }
}

}  // namespace

std::vector<EndedProgram> run_programs(const std::vector<std::vector<std::string>>& commands) {
  std::vector<EndedProgram> ended(commands.size());
  std::vector<std::pair<std::size_t, ChildProcess>> running;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto child = ChildProcess::start({.command = commands[i]});
    if (child) {
      running.emplace_back(i, std::move(*child));
    } else {
      ended[i] = {.status = 1, .errors = child.error().message};
    }
  }
  for (auto& [i, child] : running) {
    if (!interrupted()) follow(child, ended[i]);
  }
  if (interrupted()) {
    for (auto& [i, child] : running) {
      if (!child.status()) child.signal_group(SIGTERM);
    }
  }
  for (auto& [i, child] : running) {
    const auto status = child.wait_until(Clock::now() + kGrace);
    ended[i].errors = child.error_output();
    ended[i].status = !status              ? 128 + SIGKILL
                      : WIFEXITED(*status) ? WEXITSTATUS(*status)
                                           : 128 + WTERMSIG(*status);
  }
  return ended;
}

}  // namespace muxbench
