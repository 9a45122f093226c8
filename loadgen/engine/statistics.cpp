#include "engine/statistics.h"

namespace muxbench::loadgen {

void Statistics::opened(Role role) noexcept {
  ++(role == Role::active ? report_.found.connections
     : role == Role::idle ? report_.found.idle
                          : report_.found.stalled);
}

void Statistics::begin_turn() noexcept {
  completed_at_start_ = completed_;
  failed_at_start_ = report_.found.failed_requests;
  report_.slice = {};
}

void Statistics::end_turn() noexcept {
  report_.found.requests_in_run = completed_;
  SliceReport& slice = report_.slice;
  slice.requests_in_run = completed_ - completed_at_start_;
  slice.failed_requests = report_.found.failed_requests - failed_at_start_;
  slice.errors = report_.found.errors.total() - errors_reported_;
  errors_reported_ += slice.errors;
  slice.drain = Clock::now() - ended_;
}

auto Statistics::edge() const noexcept -> Edge {
  return {.time = Clock::now(),
          .completed = completed_,
          .counted = report_.found.requests,
          .cpu = thread_cpu_time(),
          .spun = spun_,
          .sent = bytes_sent_,
          .received = bytes_received_};
}

Instant Statistics::begin_window(bool with_series) noexcept {
  at_begin_ = edge();
  if (with_series) report_.found.series.start({.errors = report_.found.errors.total()});
  return at_begin_.time;
}

void Statistics::sample(const Window& window, Instant now) {
  if (now < next_sample(window) && now < window.end()) return;
  const Nanoseconds elapsed = std::min(now, window.end()) - window.begin();
  const Nanoseconds whole = elapsed / Series::kInterval * Series::kInterval;
  report_.found.series.take(now < window.end() ? whole : elapsed,
                            {.requests = report_.found.requests,
                             .errors = report_.found.errors.total(),
                             .latency_sum_ns = report_.found.latency.sum()},
                            report_.slowest);
  report_.slowest = Nanoseconds(0);
}

Instant Statistics::end_window(const Window& window, Instant now) {
  const Edge at_end = edge();
  ended_ = at_end.time;
  if (!window.is_open()) return ended_;
  sample(window, now);
  const std::uint64_t completed = at_end.completed - at_begin_.completed;
  report_.slice.requests = completed;
  report_.slice.elapsed = at_end.time - at_begin_.time;
  report_.usage.wall += at_end.time - at_begin_.time;
  report_.usage.cpu_time = report_.usage.cpu_time + (at_end.cpu - at_begin_.cpu);
  report_.usage.spun += at_end.spun - at_begin_.spun;
  report_.found.bytes_sent += at_end.sent - at_begin_.sent;
  report_.found.bytes_received += at_end.received - at_begin_.received;
  // Overloaded, an open loop's server answers in the window what was due before, and that is its
  // throughput; what was due in the window it answers later.
  report_.found.requests_in_window += open_loop_ ? completed : at_end.counted - at_begin_.counted;
  return ended_;
}

void Statistics::publish() noexcept {
  report_.live_requests.store(completed_, std::memory_order_relaxed);
  report_.live_errors.store(report_.found.errors.total(), std::memory_order_relaxed);
}

}  // namespace muxbench::loadgen
