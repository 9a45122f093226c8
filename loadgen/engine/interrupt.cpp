#include "engine/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace muxbench::loadgen {
namespace {

std::atomic<bool> signalled{false};
static_assert(std::atomic<bool>::is_always_lock_free, "signal-safety(7)");

// Returns the mask before.
sigset_t block_signals() noexcept {
  sigset_t ours;
  sigset_t before;
  ::sigemptyset(&ours);
  ::sigaddset(&ours, SIGINT);
  ::sigaddset(&ours, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ours, &before);
  return before;
}

void on_signal(int) {
  if (signalled.exchange(true)) ::_exit(130);
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: whoever waits shall notice
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
}

void block_signals_in_this_thread() noexcept { block_signals(); }

bool interrupted() noexcept { return signalled.load(std::memory_order_relaxed); }

bool await_readable(int fd) noexcept { return await_events(fd, POLLIN, std::nullopt); }

// A signal that comes between the look at the flag and the sleep would be missed: they are blocked
// but for the sleep itself.
bool await_events(int fd, short events, std::optional<Clock::time_point> deadline) noexcept {
  const sigset_t before = block_signals();
  pollfd watched{.fd = fd, .events = events, .revents = 0};
  timespec rest{};
  int found = -1;
  while (!interrupted() && found < 0) {
    if (deadline) {
      const auto left = std::max(Nanoseconds(*deadline - Clock::now()), Nanoseconds(0)).count();
      rest = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    }
    found = ::ppoll(&watched, 1, deadline ? &rest : nullptr, &before);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return !interrupted();
}

}  // namespace muxbench::loadgen
