// The open loop: requests are due at the times of a schedule, whatever the server does. One that is
// due takes the connection that has been free the longest, or waits until one is; the schedule
// itself is the queue, so a backlog costs no memory.
#pragma once

#include <sched.h>

#include <algorithm>
#include <ctime>

#include "engine/load_loop.h"

namespace muxbench::loadgen {

// A timer wakes a thread 35 to 150 us late on a virtual machine, so the last stretch is polled.
inline constexpr Nanoseconds kPolledStretch = std::chrono::microseconds(100);

template <typename Client>
int LoadLoop<Client>::wait_precisely(Nanoseconds wait) {
  // The window's end is waited for in the same way: a late one would make the rate too low.
  const bool waiting_for_time = open_loop_ && !free_.empty() && !exhausted_ && now_ < end_;
  if (waiting_for_time) {
    const Instant next = std::min(schedule_.next(), end_);
    wait = std::min<Nanoseconds>(wait, next - now_ - kPolledStretch);
  }
  if (options_.busy_poll) wait = Nanoseconds(0);
  const Nanoseconds sleep = std::max(wait, Nanoseconds(0));
  const timespec timeout{.tv_sec = sleep.count() / 1'000'000'000,
                         .tv_nsec = sleep.count() % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                   &timeout, nullptr);
  const Instant before = now_;
  now_ = Clock::now();
  if (count <= 0 && sleep.count() == 0) {
    ::sched_yield();  // A server on the same CPU goes first.
    now_ = Clock::now();
    spun_ += now_ - before;
  }
  return count;
}

// Sends what is due. A few at a time, or reading would starve behind a backlog.
template <typename Client>
void LoadLoop<Client>::dispatch() {
  constexpr int kMostInTurn = 64;
  for (int i = 0; i < kMostInTurn && !exhausted_; ++i) {
    const Instant due = schedule_.next();
    if (due > now_ || due >= end_) return;
    Connection* const connection = next_free();
    if (connection == nullptr) {
      starved_ = true;
      return;
    }
    if (due >= begin_) {
      report_.schedule_lag.record(now_ - due);
      report_.own_lag.record(now_ - std::max(due, starved_until_));
    }
    if (per_request_) {
      open(*connection, due);
    } else {
      exhausted_ = !begin_request(*connection, due);
      if (connection->in_flight < pipeline_) {
        connection->listed = true;
        free_.push(index_of(*connection));
      }
      if (!exhausted_) flush(*connection);
    }
    if (!exhausted_) schedule_.pop();
    now_ = Clock::now();
  }
}

template <typename Client>
void LoadLoop<Client>::release(Connection& connection) {
  if (starved_) {
    starved_ = false;
    starved_until_ = now_;
  }
  if (!connection.listed) {
    connection.listed = true;
    free_.push(index_of(connection));
  }
  if (schedule_.next() <= now_) dispatch();
}

// Those that were lost meanwhile are left out; they come back when they are open again.
template <typename Client>
auto LoadLoop<Client>::next_free() -> Connection* {
  while (!free_.empty()) {
    Connection& connection = connections_[free_.pop()];
    connection.listed = false;
    const bool ready =
        per_request_ ? connection.status == Status::closed : connection.status == Status::open;
    if (ready && connection.in_flight < pipeline_) return &connection;
  }
  return nullptr;
}

template <typename Client>
bool LoadLoop<Client>::drained() const noexcept {
  if (options_.phases && closing_ > 0) return false;
  if (!open_loop_) return outstanding_ == 0 || !options_.phases;
  return outstanding_ == 0 && (exhausted_ || schedule_.next() >= end_);
}

}  // namespace muxbench::loadgen
