#include "blocking/pauses.h"

#include <time.h>

namespace muxbench {

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
