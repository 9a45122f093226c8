// What a thread counts and measures, inside the window and outside of it.
#pragma once

#include "engine/control.h"
#include "engine/window.h"

namespace muxbench::loadgen {

class Statistics {
 public:
  Statistics(ThreadReport& report, bool open_loop) : report_(report), open_loop_(open_loop) {}

  ErrorLog& errors() noexcept { return report_.found.errors; }

  void sent(std::size_t bytes) noexcept { bytes_sent_ += bytes; }
  void received(std::size_t bytes) noexcept { bytes_received_ += bytes; }
  // A request, in the window or not; `counted` follows for one of the window.
  void succeeded() noexcept { ++completed_; }
  [[gnu::always_inline]] void counted(Nanoseconds latency) {
    report_.found.latency.record(latency);
    report_.slowest = std::max(report_.slowest, latency);
    ++report_.found.requests;
  }
  void failed() noexcept { ++report_.found.failed_requests; }  // of the window

  void first_byte(Nanoseconds after) { report_.found.first_byte.record(after); }
  void connected(Nanoseconds after) { report_.found.connect.record(after); }
  // Open loop: `own` of it although a connection was free.
  void sent_late(Nanoseconds lag, Nanoseconds own) {
    report_.found.schedule_lag.record(lag);
    report_.found.own_lag.record(own);
  }
  void polled_in_vain(Nanoseconds time) noexcept { spun_ += time; }
  void reconnected() noexcept { ++report_.found.reconnects; }
  void stalled_closed() noexcept { ++report_.found.stalled_closed; }
  // By clients that never read.
  void sent_unread(std::size_t bytes) noexcept {
    unread_bytes_ += bytes;
    report_.live_unread_bytes.store(unread_bytes_, std::memory_order_relaxed);
  }
  // Before the load, once it is known what could be opened.
  void opened(Role role) noexcept;
  void opening_took(Nanoseconds time) noexcept { report_.found.opening = time; }
  // After it, of each active connection that was ever open.
  void expect_served(std::size_t connections) {
    report_.found.requests_per_connection.reserve(connections);
  }
  void served(std::uint32_t requests) { report_.found.requests_per_connection.push_back(requests); }

  void begin_turn() noexcept;
  void end_turn() noexcept;

  // The edges of the window lie between two rounds of the loop; time and counts are read together,
  // and that time is returned.
  Instant begin_window(bool with_series) noexcept;
  Instant end_window(const Window& window, Instant now);
  // Taken a little after an interval's end, it is that interval's: whole ones are counted.
  void sample(const Window& window, Instant now);
  Instant next_sample(const Window& window) const noexcept {
    return report_.found.series.next(window.begin());
  }
  // For the progress line.
  void publish() noexcept;

 private:
  // What was counted up to a moment.
  struct Edge {
    Instant time;
    std::uint64_t completed = 0;  // requests that succeeded
    std::uint64_t counted = 0;    // ... in a window
    CpuTime cpu;
    Nanoseconds spun{};
    std::uint64_t sent = 0;  // bytes
    std::uint64_t received = 0;
  };
  Edge edge() const noexcept;

  ThreadReport& report_;
  const bool open_loop_;
  std::uint64_t completed_ = 0;  // requests that succeeded, in the window or not
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t unread_bytes_ = 0;  // of them, by clients that never read
  std::uint64_t bytes_received_ = 0;
  Nanoseconds spun_{};                    // polled in vain
  Edge at_begin_;                         // of the window
  Instant ended_;                         // the window
  std::uint64_t completed_at_start_ = 0;  // of the turn
  std::uint64_t failed_at_start_ = 0;
  std::uint64_t errors_reported_ = 0;  // by the turns before
};

}  // namespace muxbench::loadgen
