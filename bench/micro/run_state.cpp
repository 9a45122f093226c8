#include "run_state.h"

#include <atomic>
#include <csignal>

namespace muxbench {
namespace {

std::atomic<bool> flag{false};
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

Nanoseconds slice() noexcept { return each; }

const char* why_to_stop() noexcept {
  if (interrupted()) return "skipped: the run was interrupted";
  return Clock::now() >= end ? "skipped: the time of the run was over" : nullptr;
}

}  // namespace muxbench
