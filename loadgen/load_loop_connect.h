// How the load loop opens, loses and reopens connections. Included by worker.cpp only, after
// load_loop.h.
#pragma once

#include "loadgen/load_loop.h"

namespace muxbench::loadgen {

inline constexpr std::uint32_t kMostInProgress = 128;  // connections being opened at a time

template <typename Client>
void LoadLoop<Client>::open_all() {
  constexpr int kAtATime = 8;  // between two looks at those that are connected by now
  std::size_t next = 0;
  while (!abandoned() && (next < connections_.size() || in_progress_ > 0)) {
    for (int i = 0; i < kAtATime && next < connections_.size(); ++i, ++next) {
      if (in_progress_ >= kMostInProgress) break;
      Connection& connection = connections_[next];
      if (Client::kConnectionPerRequest && connection.active) continue;
      open(connection);
    }
    const bool may_open = next < connections_.size() && in_progress_ < kMostInProgress;
    round(may_open ? Nanoseconds(0) : kCheckInterval);
  }
  for (const Connection& connection : connections_) {
    if (connection.status != Status::open) continue;
    ++(connection.active ? report_.opened_active : report_.opened_idle);
  }
}

template <typename Client>
void LoadLoop<Client>::open(Connection& connection) {
  if (started_ && now_ >= end()) return;
  if (Client::kConnectionPerRequest && connection.active) {
    if (!take_ticket(connection)) return;
    connection.busy = true;
  }
  connection.since = now_ = Clock::now();
  connection.status = Status::connecting;
  ++in_progress_;
  attempt(connection);
}

template <typename Client>
void LoadLoop<Client>::attempt(Connection& connection) {
  Connector::Attempt attempt = connector_.start();
  if (!attempt.fd) {
    // connect(2): an AF_UNIX listener whose backlog is full says EAGAIN; it may have room soon.
    const bool full = attempt.error == Errno{EAGAIN} && options_.target.is_unix() &&
                      Clock::now() - connection.since < options_.connect_timeout;
    if (full) return reopen_in(connection, std::chrono::milliseconds(1));
    return connect_failed(connection, attempt.error);
  }
  connection.fd = std::move(attempt.fd);
  ++connection.incarnation;
  if (connection.active) {
    client_.open(connection.protocol, connection.number, connection.incarnation);
  }
  // A TCP socket reports EPOLLOUT as an edge only after a send has found it full, so it stays
  // registered. An AF_UNIX one reports it each time the peer reads: that is asked for when stuck.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (options_.target.is_unix() ? 0U : EPOLLOUT);
  event.data.u32 = index_of(connection);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event);
  if (!attempt.in_progress) connected(connection);
}

template <typename Client>
void LoadLoop<Client>::connected(Connection& connection) {
  --in_progress_;
  connection.status = Status::open;
  now_ = Clock::now();
  report_.connect.record(now_ - connection.since);
  if (Client::kConnectionPerRequest || !connection.active || !started_) return;
  begin_request(connection);
}

template <typename Client>
void LoadLoop<Client>::connect_failed(Connection& connection, Errno error) {
  --in_progress_;
  report_.errors.add(kind_of_failure(error), [&] {
    return fmt::format("connection {}: {}", connection.number,
                       explain_failure(error, options_.target));
  });
  // With --requests it takes the place of a request, or a dead server would be waited for.
  if (started_ && connection.active && !connection.ticketed) take_ticket(connection);
  drop(connection);
  // What cannot be opened before the load starts is left out, and the result says how many.
  if (started_) reopen_in(connection, Nanoseconds(0));
}

template <typename Client>
void LoadLoop<Client>::lost(Connection& connection, ErrorKind kind, std::string_view what) {
  const std::string progress =
      connection.active ? client_.progress(connection.protocol) : std::string("idle");
  const bool explained = connection.active && client_.conclude(connection.protocol);
  // Bytes left out make a response late as well; that is one error, not two.
  if (!(explained && kind == ErrorKind::timeout)) {
    report_.errors.add(kind, [&] {
      return fmt::format("connection {}, {}: {}", connection.number, progress, what);
    });
  }
  give_up(connection);
}

template <typename Client>
void LoadLoop<Client>::give_up(Connection& connection) {
  drop(connection);
  reopen_in(connection, Nanoseconds(0));
}

template <typename Client>
void LoadLoop<Client>::drop(Connection& connection) {
  connection.busy = false;
  connection.stuck = false;
  connection.status = Status::closed;
  close_with_reset(connection.fd);
  if (connection.ticketed) settle(connection);
}

// Pauses grow from 10 to 640 ms while a connection fails in a row, so a server that always fails
// is not hammered, and the loop never spins.
template <typename Client>
void LoadLoop<Client>::reopen_in(Connection& connection, Nanoseconds pause) {
  constexpr std::uint8_t kMostDoublings = 6;
  if (pause.count() == 0) {
    pause = std::chrono::milliseconds(10) * (1 << connection.failures);
    if (connection.failures < kMostDoublings) ++connection.failures;
  }
  reopenings_.push({now_ + pause, index_of(connection)});
  next_check_ = std::min(next_check_, now_ + pause);
}

template <typename Client>
void LoadLoop<Client>::watch_writable(Connection& connection, bool on) {
  connection.stuck = on;
  if (!options_.target.is_unix()) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (on ? EPOLLOUT : 0U);
  event.data.u32 = index_of(connection);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
}

}  // namespace muxbench::loadgen
