#include "blocking/blocking.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

namespace muxbench {

void set_io_timeout(int fd, Nanoseconds timeout) noexcept {
  if (timeout.count() == 0) return;
  const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(timeout).count();
  const timeval limit{.tv_sec = microseconds / 1'000'000, .tv_usec = microseconds % 1'000'000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void sleep_briefly() noexcept {
  const timespec moment{.tv_sec = 0, .tv_nsec = 20'000'000};
  ::nanosleep(&moment, nullptr);
}

void sleep_until(Clock::time_point time) noexcept {
  const auto nanoseconds = time.time_since_epoch().count();
  const timespec until{.tv_sec = nanoseconds / 1'000'000'000,
                       .tv_nsec = nanoseconds % 1'000'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace muxbench
