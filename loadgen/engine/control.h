// What the threads of a run share while it runs. There is no barrier in the hot path: the measured
// window is an interval of the monotonic clock that every thread compares its completions with.
// A run consists of turns: an ordinary one of one, a session of slices of one for each slice.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "client/errors.h"
#include "engine/arrivals.h"
#include "engine/bell.h"
#include "metrics/histogram.h"
#include "metrics/usage.h"
#include "result/series.h"

namespace muxbench::loadgen {

// A load from its start until all is answered.
struct Turn {
  Instant start{};  // of the load, in all threads
  Nanoseconds warmup{};
  std::uint64_t rate = 0;  // open loop: requests per second
  // Of a slice's window; 0: no slice, and the window is the same interval in all threads. A slice
  // starts in each thread when it has woken up. Its window's edges lie between two rounds of the
  // thread's loop, so that whole batches count: the first round's end after the warm-up, and the
  // first one that is `slice` later.
  Nanoseconds slice{};

  bool is_slice() const noexcept { return slice.count() > 0; }
};

struct Control {
  static constexpr Instant kNever = Instant::max();

  std::atomic<unsigned> connected_threads{0};  // have opened what they could
  std::atomic<unsigned> drained_threads{0};    // have no request in flight any more
  Bell drained;                                // the last of them rings
  std::atomic<bool> over{false};               // no turn follows: close all and end
  std::atomic<bool> stop{false};               // do not wait for what is due or in flight
  std::atomic<bool> overloaded{false};

  // Set by the main thread while all threads rest; then it counts `turns` up and rings `call`.
  Turn turn;
  std::atomic<unsigned> turns{0};
  Bell call;
  // May move forward when the run is interrupted or when the last request asked for is done.
  std::atomic<Instant> end{kNever};

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

// What one thread found in the latest turn.
struct SliceReport {
  std::uint64_t requests = 0;  // that succeeded between the window's edges
  Nanoseconds elapsed{};       // between them
  std::uint64_t requests_in_run = 0;
  std::uint64_t failed_requests = 0;
  std::uint64_t errors = 0;  // since the turn before was drained
  Nanoseconds drain{};       // from the window's end until all was answered
};

// What one thread found. Read by the main thread after it has joined; `slice`, `latency` and
// `schedule_lag` also whenever the thread is drained and rests.
struct ThreadReport {
  SliceReport slice;
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
  std::uint64_t reconnects = 0;
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
