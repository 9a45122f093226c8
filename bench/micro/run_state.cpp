#include "run_state.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "base/error.h"

namespace muxbench {
namespace {

constexpr int kExitInterrupted = 130;

std::atomic<bool> flag{false};
std::string unfinished;
Nanoseconds each = std::chrono::milliseconds(10);
Clock::time_point end = Clock::time_point::max();

void on_signal(int) { flag = true; }

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: a blocking call must come back
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
}

bool interrupted() noexcept { return flag; }

void set_time_limit(Nanoseconds slice, Clock::time_point deadline) {
  each = slice;
  end = deadline;
}

bool time_is_over() noexcept { return Clock::now() >= end; }
Nanoseconds slice() noexcept { return time_is_over() ? Nanoseconds(0) : each; }

void set_unfinished_file(const std::string& path) { unfinished = path; }

void end_interrupted() {
  if (!unfinished.empty()) ::unlink(unfinished.c_str());
  print_error("micro",
              make_error("interrupted; no result is left, since part of it would look whole"));
  std::_Exit(kExitInterrupted);  // without joining a thread that waits to be given work
}

}  // namespace muxbench
