// The outcome of a slice: a short load of a session, over all threads.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "metrics/histogram.h"

namespace muxbench::loadgen {

struct SliceResult {
  bool interrupted = false;
  bool overloaded = false;         // an open loop fell too far behind
  std::uint64_t requests = 0;      // that succeeded between the window's edges
  Nanoseconds elapsed{};           // between the edges, the mean over the threads
  double requests_per_second = 0;  // the sum over the threads of each one's rate
  // With the warm-up's and those that the drain answered.
  std::uint64_t requests_in_run = 0;
  std::uint64_t failed_requests = 0;  // of the window
  std::uint64_t errors = 0;           // since the answer to the command before
  Nanoseconds cpu{};                  // of the load generator, from command to answer
  Nanoseconds drain{};                // from the window's end until all was answered
  Histogram latency;                  // closed loop: of `requests`; open: due in the window
  Histogram schedule_lag;             // open loop

  // "interrupted"; "failed" after an error or without an answer; "ok".
  std::string_view status() const noexcept {
    if (interrupted) return "interrupted";
    const bool wrong = errors > 0 || failed_requests > 0;
    return wrong || overloaded || requests_in_run == 0 ? "failed" : "ok";
  }
};

}  // namespace muxbench::loadgen
