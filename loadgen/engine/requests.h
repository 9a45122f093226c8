// The requests in flight of a thread's connections: when each was sent or due, and whether it counts.
#pragma once

#include "engine/loop_state.h"

namespace muxbench::loadgen {

class Requests {
 public:
  explicit Requests(LoopState& loop)
      : loop_(loop),
        first_number_(loop.share.first_active + loop.options.first_number),
        send_times_(loop.pipeline > 1 ? std::size_t{loop.share.active} * loop.pipeline : 0) {}

  // One more. Its latency counts from `due`: in a closed loop from the reading of the clock that
  // completed the request before. False: as many as were asked for have been begun.
  [[gnu::always_inline]] bool begin(Connection& connection, Instant due) {
    if (!take_ticket(connection, due)) return false;
    if (connection.in_flight == 0) {
      connection.latency_start = due;
      connection.waiting_since = loop_.clock.now;
    }
    if (loop_.pipeline > 1) {
      send_times(connection)[(connection.oldest + connection.in_flight) % loop_.pipeline] = due;
    }
    ++connection.in_flight;
    ++in_flight_;
    return true;
  }

  // The one that a connection is about to be opened for.
  bool begin_with_connection(Connection& connection, Instant due) {
    if (!take_ticket(connection, due)) return false;
    connection.in_flight = 1;
    ++in_flight_;
    return true;
  }

  // With --requests a connection that cannot be opened is a request that failed, or a dead server
  // would be waited for.
  void begin_unsent(Connection& connection) {
    take_ticket(connection, loop_.clock.now);
    connection.in_flight = connection.ticketed;
    in_flight_ += connection.ticketed;
  }

  // The oldest was completed now.
  [[gnu::always_inline]] void complete(Connection& connection, bool good) {
    const Instant start = connection.latency_start;
    const bool ticketed = connection.ticketed == connection.in_flight;
    connection.waiting_since = loop_.clock.now;
    --connection.in_flight;
    --in_flight_;
    if (loop_.pipeline > 1 && connection.in_flight > 0) {
      connection.oldest = static_cast<std::uint16_t>((connection.oldest + 1) % loop_.pipeline);
      connection.latency_start = send_times(connection)[connection.oldest];
    }
    if (good) [[likely]] {
      connection.failures = 0;
      loop_.statistics.succeeded();
      if (counts(start, ticketed)) [[likely]] {
        loop_.statistics.counted(loop_.clock.now - start);
        ++connection.requests;
      }
    } else if (counts(start, ticketed)) {
      loop_.statistics.failed();
    }
    if (ticketed) {
      --connection.ticketed;
      loop_.control.settle(1, loop_.clock.now);
    }
  }

  // All that are in flight on it have failed.
  void fail_all(Connection& connection) {
    for (std::uint16_t i = 0; i < connection.in_flight; ++i) {
      const bool ticketed = connection.in_flight - i <= connection.ticketed;
      const Instant start = i == 0
                                ? connection.latency_start
                                : send_times(connection)[(connection.oldest + i) % loop_.pipeline];
      if (counts(start, ticketed)) loop_.statistics.failed();
    }
    in_flight_ -= connection.in_flight;
    const std::uint32_t settled = connection.ticketed;
    connection.in_flight = connection.ticketed = 0;
    if (settled > 0) loop_.control.settle(settled, loop_.clock.now);
  }

  std::uint64_t in_flight() const noexcept { return in_flight_; }

 private:
  // Tickets are for what is due in the window.
  [[gnu::always_inline]] bool take_ticket(Connection& connection, Instant moment) {
    if (loop_.control.requests == 0 || moment < loop_.window.begin()) return true;
    if (!loop_.control.take_ticket()) return false;
    ++connection.ticketed;
    return true;
  }

  // Closed loop: the window counts requests that complete inside it, whenever they were sent; as
  // many are in flight at its end as at its beginning, so the rate is right. Open loop: it counts
  // those that were due inside it, however late they complete, or a stall at its end would be left
  // out.
  bool counts(Instant start, bool ticketed) const noexcept {
    const Instant moment = loop_.open_loop ? start : loop_.clock.now;
    return loop_.window.counts(moment) && (loop_.control.requests == 0 || ticketed);
  }

  // Pipelined: of its requests in flight, a ring.
  Instant* send_times(const Connection& connection) noexcept {
    return &send_times_[std::size_t{connection.number - first_number_} * loop_.pipeline];
  }

  LoopState& loop_;
  const std::uint32_t first_number_;  // of the active connections
  std::vector<Instant> send_times_;   // pipelined: `pipeline` for each active connection
  std::uint64_t in_flight_ = 0;
};

}  // namespace muxbench::loadgen
