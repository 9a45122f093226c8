// The open loop: requests are due at the times of a schedule, whatever the server does. One that is
// due takes the connection that has been free the longest, or waits until one is; the schedule
// itself is the queue, so a backlog costs no memory.
#pragma once

#include "engine/loop_state.h"
#include "engine/ring.h"

namespace muxbench::loadgen {

class OpenLoop {
 public:
  explicit OpenLoop(LoopState& loop)
      : loop_(loop),
        schedule_(loop.options.arrival, loop.options.rate, loop.share.thread, loop.options.threads,
                  loop.options.part),
        free_(loop.open_loop ? loop.share.active : 0) {}

  void start(Instant origin, std::uint64_t rate) noexcept {
    exhausted_ = false;
    schedule_.start(origin, rate);
  }

  // The connection can take a request.
  void set_free(Connection& connection) noexcept {
    if (starved_) {
      starved_ = false;
      starved_until_ = loop_.clock.now;
    }
    if (!connection.listed) list(connection);
  }

  // Begins what is due: send(connection, due) is false when as many as were asked for have been
  // begun. A few at a time, or reading would starve behind a backlog.
  template <typename Send>
  void dispatch(Send send) {
    constexpr int kMostInTurn = 64;
    for (int i = 0; i < kMostInTurn && !exhausted_; ++i) {
      const Instant due = schedule_.next();
      if (due > loop_.clock.now || due >= loop_.window.end()) return;
      Connection* const connection = next_free();
      if (connection == nullptr) {
        starved_ = true;
        return;
      }
      if (due >= loop_.window.begin()) {
        loop_.statistics.sent_late(loop_.clock.now - due,
                                   loop_.clock.now - std::max(due, starved_until_));
      }
      exhausted_ = !send(*connection, due);
      if (!exhausted_) schedule_.pop();
      loop_.clock.read();
    }
  }
  // `connection` has got one, and can take another.
  void list(Connection& connection) noexcept {
    connection.listed = true;
    free_.push(&connection);
  }

  bool has_due() const noexcept { return schedule_.next() <= loop_.clock.now; }
  // A request or the window's end, which is waited for in the same way: a late one would make the
  // rate too low. kNever: until an event comes.
  Instant next() const noexcept {
    const bool waits = !free_.empty() && !exhausted_ && loop_.clock.now < loop_.window.end();
    return waits ? std::min(schedule_.next(), loop_.window.end()) : Control::kNever;
  }
  // Nothing more is due in this window.
  bool finished() const noexcept { return exhausted_ || schedule_.next() >= loop_.window.end(); }
  // It has fallen too far behind.
  bool overloaded() const noexcept {
    return !finished() && loop_.clock.now - schedule_.next() > loop_.options.max_lag;
  }

 private:
  // Those that were lost meanwhile are left out; they come back when they are open again.
  Connection* next_free() noexcept {
    while (!free_.empty()) {
      Connection& connection = *free_.pop();
      connection.listed = false;
      const Status ready = loop_.per_request ? Status::closed : Status::open;
      if (connection.status == ready && connection.in_flight < loop_.pipeline) return &connection;
    }
    return nullptr;
  }

  LoopState& loop_;
  ArrivalSchedule schedule_;
  Ring<Connection*> free_;
  Instant starved_until_{};  // until then no connection was free
  bool starved_ = false;
  bool exhausted_ = false;  // as many as were asked for have been begun
};

}  // namespace muxbench::loadgen
