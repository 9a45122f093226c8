// Opens a thread's connections before the load: some at a time, and no faster than --connect-rate.
#pragma once

#include "engine/connection_lifecycle.h"

namespace muxbench::loadgen {

template <typename Client>
class RampUp {
 public:
  RampUp(LoopState& loop, ConnectionLifecycle<Client>& lifecycle)
      : loop_(loop),
        lifecycle_(lifecycle),
        paced_(loop.options.connect_rate != 0),
        schedule_(Arrival::uniform, loop.options.connect_rate, loop.share.thread,
                  loop.options.threads) {
    lifecycle_.opening().start();
    if (paced_) schedule_.start(loop_.clock.now);
  }

  bool done() const noexcept { return next_ == count() && lifecycle_.opening().in_progress() == 0; }

  // Begins to open some. Returns how long to wait for events before the next step.
  Nanoseconds step() {
    constexpr int kAtATime = 8;  // between two looks at those that are connected by now
    for (int i = 0; i < kAtATime && has_more(); ++i, ++next_) {
      Connection& connection = lifecycle_.connections()[next_];
      if (loop_.per_request && connection.role == Role::active) {
        lifecycle_.open_later(connection);
      } else if (lifecycle_.opening().takes_no_more()) {
        lifecycle_.opening().report(connection, Errno{ETIMEDOUT});
      } else {
        if (paced_ && schedule_.next() > loop_.clock.now) {
          return std::min(schedule_.next() - loop_.clock.now, kCheckInterval);
        }
        if (paced_) schedule_.pop();
        lifecycle_.open(connection, loop_.clock.now);
      }
    }
    return has_more() ? Nanoseconds(0) : kCheckInterval;
  }

 private:
  static constexpr std::uint32_t kMostInProgress = 128;

  std::size_t count() const noexcept { return lifecycle_.connections().size(); }
  bool has_more() const noexcept {
    return next_ < count() && lifecycle_.opening().in_progress() < kMostInProgress;
  }

  LoopState& loop_;
  ConnectionLifecycle<Client>& lifecycle_;
  const bool paced_;
  ArrivalSchedule schedule_;
  std::size_t next_ = 0;
};

}  // namespace muxbench::loadgen
