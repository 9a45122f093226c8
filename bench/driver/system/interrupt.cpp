#include "system/interrupt.h"

#include <sys/eventfd.h>

#include <atomic>
#include <csignal>

#include "base/unique_fd.h"

namespace muxbench {
namespace {

std::atomic<bool> flag{false};
std::atomic<int> first{0};
int event = -1;  // lives as long as the process

void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  first.compare_exchange_strong(none, number);
  flag = true;
  [[maybe_unused]] const int status = ::eventfd_write(event, 1);
  errno = saved;
}

}  // namespace

Result<> catch_interrupts() {
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return make_error("cannot create an eventfd: {}", describe(last_errno()));
  struct sigaction action {};
  action.sa_handler = on_signal;  // no SA_RESTART: a blocking call must come back
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  // A reader that goes away (`muxbench list | head -1`) must not end a run in its middle.
  std::signal(SIGPIPE, SIG_IGN);
  return {};
}

bool interrupted() noexcept { return flag; }
int interrupt_fd() noexcept { return event; }
int interrupt_status() noexcept { return first == 0 ? 0 : 128 + first; }

void forget_interrupt() noexcept {
  eventfd_t signals = 0;
  ::eventfd_read(event, &signals);  // first: a signal in between is forgotten, never half of it
  flag = false;
}

void restore_signals() noexcept {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace muxbench
