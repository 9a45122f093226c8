// What the threads of a run share while it runs. There is no barrier in the hot path: the measured
// window is an interval of the monotonic clock that every thread compares its completions with.
// A run consists of turns: an ordinary one of one, a session of slices of one for each slice.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "engine/arrivals.h"
#include "engine/event_fd.h"
#include "result/run_result.h"

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
  EventFd drained;                             // the last of them notifies
  std::atomic<bool> over{false};               // no turn follows: close all and end
  std::atomic<bool> stop{false};               // do not wait for what is due or in flight
  std::atomic<bool> overloaded{false};

  // Set by the main thread while all threads rest; then it counts `turns` up and notifies
  // `call`.
  Turn turn;
  std::atomic<unsigned> turns{0};
  EventFd call;
  // May move forward when the run is interrupted or when the last request asked for is done.
  std::atomic<Instant> end{kNever};

  // With --requests: each request sent in the window takes a ticket, and is settled when it has
  // succeeded or failed. So exactly that many are sent, answered and checked.
  std::uint64_t requests = 0;
  std::atomic<std::uint64_t> tickets{0};
  std::atomic<std::uint64_t> settled{0};

  static_assert(std::atomic<Instant>::is_always_lock_free);

  // False: no request is left to be sent.
  bool take_ticket() noexcept { return tickets.fetch_add(1, std::memory_order_relaxed) < requests; }
  void settle(std::uint32_t count, Instant now) noexcept {
    if (settled.fetch_add(count, std::memory_order_relaxed) + count == requests) {
      // The window includes its last request.
      end.store(now + Nanoseconds(1), std::memory_order_relaxed);
    }
  }

  bool is_stopped() const noexcept { return stop.load(std::memory_order_relaxed); }
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

// What one thread found. Read by the main thread after it has joined; `slice`, and the latency and
// schedule lag of `found`, also whenever the thread is drained and rests.
struct ThreadReport {
  RunResult found;    // its part of the run's
  ThreadUsage usage;  // in the window
  SliceReport slice;
  Nanoseconds slowest{};  // since the latest sample

  // Of clients that never read, refreshed every 10 ms: it stands still once they are held up.
  std::atomic<std::uint64_t> live_unread_bytes{0};
  // For the progress line, refreshed every 10 ms.
  std::atomic<std::uint64_t> live_requests{0};
  std::atomic<std::uint64_t> live_errors{0};
};

}  // namespace muxbench::loadgen
