// The connections of one thread among those of all.
#pragma once

#include <algorithm>
#include <utility>

#include "options/options.h"

namespace muxbench::loadgen {

// Their numbers are unique over all threads.
struct Share {
  unsigned thread = 0;
  std::uint32_t first_active = 0, active = 0;
  std::uint32_t first_background = 0, background = 0;  // idle and stalled ones
};

inline Share share_of(const Options& options, unsigned thread) {
  const auto split = [&](std::uint32_t total) {
    const std::uint32_t each = total / options.threads;
    const std::uint32_t more = total % options.threads;  // the first threads take one more
    return std::pair{each * thread + std::min(thread, more), each + (thread < more ? 1U : 0U)};
  };
  const auto [first_active, active] = split(options.connections);
  const auto [first_background, background] = split(options.background());
  return {.thread = thread,
          .first_active = first_active,
          .active = active,
          .first_background = options.connections + first_background,
          .background = background};
}

}  // namespace muxbench::loadgen
