#include "common/stop_signal.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace muxbench::stop_signal {
namespace {

constexpr long kGraceNanoseconds = 800'000'000;

// Everything that the handler touches is lock-free or set before it is installed.
std::atomic<bool> stop_requested = false;
std::atomic<int> listening_socket = -1;
std::atomic<int> current_connection = -1;
timer_t deadline_timer;
std::string socket_file;
pid_t owner = 0;

void end_input(int fd) noexcept {
  if (fd >= 0) ::shutdown(fd, SHUT_RD);
}

void on_signal(int number, siginfo_t* info, void*) noexcept {
  const int saved_errno = errno;
  if (stop_requested.exchange(true)) {
    remove_socket_file();
    ::_exit(info->si_code == SI_TIMER ? 0 : 128 + number);
  }
  end_input(listening_socket);
  end_input(current_connection);
  const itimerspec deadline{.it_interval = {},
                            .it_value = {.tv_sec = 0, .tv_nsec = kGraceNanoseconds}};
  ::timer_settime(deadline_timer, 0, &deadline, nullptr);
  errno = saved_errno;
}

}  // namespace

Result<> install(int listener, const Address& address) {
  listening_socket = listener;
  owner = ::getpid();
  if (address.is_unix()) socket_file = address.path();

  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGTERM;
  if (::timer_create(CLOCK_MONOTONIC, &event, &deadline_timer) != 0) {
    return fail("cannot create a timer: {}", describe(last_errno()));
  }
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;  // no SA_RESTART: a blocked call comes back with EINTR
  ::sigemptyset(&action.sa_mask);
  ::sigaddset(&action.sa_mask, SIGTERM);
  ::sigaddset(&action.sa_mask, SIGINT);
  for (const int number : {SIGTERM, SIGINT}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a peer that has gone shows as EPIPE where it is written to
  return {};
}

bool requested() noexcept { return stop_requested; }

void also_ends_input_of(int connection) noexcept {
  current_connection = connection;
  if (stop_requested) end_input(connection);
}

void adopt_in_child(int connection) noexcept {
  listening_socket = -1;
  also_ends_input_of(connection);
}

void remove_socket_file() noexcept {
  if (!socket_file.empty() && ::getpid() == owner) ::unlink(socket_file.c_str());
}

}  // namespace muxbench::stop_signal
