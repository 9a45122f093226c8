#include "runtime/stop_signal.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string_view>

#include "runtime/counters.h"

namespace muxbench::stop_signal {
namespace {

constexpr long kGraceNanoseconds = 800'000'000;

// Everything that the handler touches is lock-free or set before it is installed.
std::atomic<bool> stop_requested = false;
std::array<std::atomic<int>, kMostListeners> listeners;  // -1: none
std::atomic<std::size_t> listener_count = 0;
std::atomic<int> current_connection = -1;
std::atomic<int> stop_event = -1;
bool in_child = false;
timer_t deadline_timer;
std::string socket_file;
struct stat socket_status {};  // of that file, when it was new
pid_t owner = 0;

sigset_t stop_signals() noexcept {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&signals, number);
  return signals;
}

void end_input(int fd) noexcept {
  if (fd >= 0) ::shutdown(fd, SHUT_RD);
}

// Both directions, because an AF_UNIX listener reports POLLHUP only then, and POLLHUP is what
// reaches a loop that does not watch it for input at the moment.
void shut_down(int listener) noexcept {
  if (listener >= 0) ::shutdown(listener, SHUT_RDWR);
}

void raise(int event) noexcept {
  if (event >= 0) ::eventfd_write(event, 1);
}

void begin_to_stop() noexcept {
  raise(stop_event);
  for (std::size_t i = 0; i < listener_count; ++i) shut_down(listeners[i]);
  end_input(current_connection);
  const itimerspec deadline{.it_interval = {},
                            .it_value = {.tv_sec = 0, .tv_nsec = kGraceNanoseconds}};
  ::timer_settime(deadline_timer, 0, &deadline, nullptr);
}

void on_signal(int number, siginfo_t* info, void*) noexcept {
  const int saved_errno = errno;
  if (!stop_requested.exchange(true)) {
    begin_to_stop();
  } else if (!in_child) {
    int status = info->si_code == SI_TIMER ? 0 : 128 + number;
    if (!counters::write_file_at_once()) {
      constexpr std::string_view kLost = "the file of --counters could not be written\n";
      [[maybe_unused]] const auto told = ::write(STDERR_FILENO, kLost.data(), kLost.size());
      if (status == 0) status = static_cast<int>(Exit::failure);
    }
    remove_socket_file();
    ::_exit(status);
  }
  errno = saved_errno;
}

}  // namespace

Result<> install(int listener, const Address& address) {
  for (std::atomic<int>& each : listeners) each = -1;
  also_shuts_down(listener);
  owner = ::getpid();
  if (address.is_unix()) {
    socket_file = address.path();
    ::lstat(socket_file.c_str(), &socket_status);
  }

  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGTERM;
  // A child has no deadline of its own, and a timer takes a place of those that signals wait in
  // (ulimit -i), of which there may be fewer than children.
  if (!in_child && ::timer_create(CLOCK_MONOTONIC, &event, &deadline_timer) != 0) {
    return make_error("cannot create a timer: {}", describe(last_errno()));
  }
  restore_handler();
  ::signal(SIGPIPE, SIG_IGN);  // a peer that has gone shows as EPIPE where it is written to
  return {};
}

void restore_handler() noexcept {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;  // no SA_RESTART: a blocked call comes back with EINTR
  action.sa_mask = stop_signals();
  for (const int number : {SIGTERM, SIGINT}) ::sigaction(number, &action, nullptr);
}

bool requested() noexcept { return stop_requested; }

void leave_to_main_thread() noexcept {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void deliver(int number) noexcept {
  restore_handler();
  ::kill(::getpid(), number);
  if (::gettid() != ::getpid()) return;  // a thread that leaves them to the main one
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void request() noexcept {
  static std::atomic<bool> asked = false;
  if (!stop_requested && !asked.exchange(true)) ::kill(::getpid(), SIGTERM);
}

int descriptor() noexcept {
  if (stop_event < 0) stop_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_requested) raise(stop_event);
  return stop_event;
}

void also_shuts_down(int listener) noexcept {
  listeners[listener_count++] = listener;
  if (stop_requested) shut_down(listener);
}

void also_ends_input_of(int connection) noexcept {
  current_connection = connection;
  if (stop_requested) end_input(connection);
}

void adopt_in_child(int connection) noexcept {
  in_child = true;
  listener_count = 0;
  also_ends_input_of(connection);
}

void remove_socket_file() noexcept {
  if (socket_file.empty() || ::getpid() != owner) return;
  struct stat now {};
  const bool is_ours = ::lstat(socket_file.c_str(), &now) == 0 &&
                       now.st_dev == socket_status.st_dev && now.st_ino == socket_status.st_ino;
  if (is_ours) ::unlink(socket_file.c_str());
}

}  // namespace muxbench::stop_signal
