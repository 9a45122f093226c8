// What the threads of a run share while it runs. There is no barrier in the hot path: the measured
// window is an interval of the monotonic clock that every thread compares its completions with.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "loadgen/arrivals.h"
#include "loadgen/errors.h"
#include "loadgen/series.h"
#include "metrics/histogram.h"
#include "metrics/usage.h"

namespace muxbench::loadgen {

struct Control {
  static constexpr Instant kNever = Instant::max();

  std::atomic<unsigned> connected_threads{0};  // have opened what they could
  std::atomic<unsigned> drained_threads{0};    // have no request in flight any more
  std::atomic<unsigned> finished_threads{0};
  std::atomic<bool> abandon{false};  // end now, without load
  std::atomic<bool> stop{false};     // open loop: do not wait for what is due or in flight
  std::atomic<bool> overloaded{false};
  std::atomic<bool> hold{false};  // until then drained threads keep their connections open

  // Set once by the main thread, `start` last; `end` may move forward when the run is interrupted
  // or when the last request asked for is done.
  std::atomic<Instant> begin{kNever};
  std::atomic<Instant> end{kNever};
  std::atomic<Instant> start{kNever};

  // With --requests: each request sent in the window takes a ticket, and is settled when it has
  // succeeded or failed. So exactly that many are sent, answered and checked.
  std::uint64_t requests = 0;
  std::atomic<std::uint64_t> tickets{0};
  std::atomic<std::uint64_t> settled{0};

  static_assert(std::atomic<Instant>::is_always_lock_free);

  // The window ends at `moment`, unless it has ended before.
  void end_at(Instant moment) noexcept { end.store(std::min(end.load(), moment)); }
  void stop_at(Instant moment) noexcept {
    stop.store(true);
    end_at(moment);
  }
};

// What one thread found. Read by the main thread after it has joined.
struct ThreadReport {
  Histogram latency;
  Histogram connect;
  Histogram first_byte;    // of each connection's first response
  Histogram schedule_lag;  // open loop: sent so long after it was due
  Histogram own_lag;       // ... although a connection was free
  Series series;
  ErrorLog errors;
  Nanoseconds slowest{};  // since the latest sample
  std::uint64_t requests = 0;
  std::uint64_t requests_in_run = 0;     // from the load's start to its end, warm-up and all
  std::uint64_t requests_in_window = 0;  // completed in it, whenever they were due
  std::uint64_t failed_requests = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint32_t opened_active = 0;  // when the load starts
  std::uint32_t opened_idle = 0;
  std::uint32_t opened_stalled = 0;
  std::uint32_t stalled_closed = 0;  // stalled clients that the server has thrown out
  Nanoseconds opening{};             // how long opening all connections took
  std::vector<std::uint32_t> requests_per_connection;
  int cpu = 0;
  CpuTime cpu_time;    // in the window
  Nanoseconds wall{};  // between the two readings of cpu_time
  Nanoseconds spun{};  // of it, polled near a deadline without finding anything to do

  // Of clients that never read, refreshed every 10 ms: it stands still once they are held up.
  std::atomic<std::uint64_t> live_unread_bytes{0};
  // For the progress line, refreshed every 10 ms.
  std::atomic<std::uint64_t> live_requests{0};
  std::atomic<std::uint64_t> live_errors{0};
};

}  // namespace muxbench::loadgen
