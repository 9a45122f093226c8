// How the load loop opens, loses and reopens connections.
#pragma once

#include "engine/load_loop.h"

namespace muxbench::loadgen {

inline constexpr std::uint32_t kMostInProgress = 128;  // connections being opened at a time

template <typename Client>
void LoadLoop<Client>::open_all() {
  constexpr int kAtATime = 8;  // between two looks at those that are connected by now
  const Instant since = last_connected_ = now_ = Clock::now();
  if (options_.connect_rate != 0) ramp_.start(since);
  const std::size_t count = connections_.size() - 1;
  watch_call();
  std::size_t next = 0;
  while (!over() && (next < count || in_progress_ > 0)) {
    bool paced = false;
    for (int i = 0; i < kAtATime && next < count; ++i, ++next) {
      if (in_progress_ >= kMostInProgress) break;
      Connection& connection = connections_[next];
      if (per_request_ && connection.role == Role::active) {
        to_open_.push_back(index_of(connection));
        continue;
      }
      if (takes_no_more_) {
        not_connected(connection, Errno{ETIMEDOUT});
        continue;
      }
      if (options_.connect_rate != 0) {
        paced = ramp_.next() > now_;
        if (paced) break;
        ramp_.pop();
      }
      open(connection, now_);
    }
    const bool more = next < count && in_progress_ < kMostInProgress;
    if (paced) {
      round(std::clamp<Nanoseconds>(ramp_.next() - now_, Nanoseconds(0), kCheckInterval));
    } else {
      round(more ? Nanoseconds(0) : kCheckInterval);
    }
  }
  report_.opening = Clock::now() - since;
  for (const Connection& connection : connections_) {
    if (!usable(connection)) continue;
    ++(connection.role == Role::active ? report_.opened_active
       : connection.role == Role::idle ? report_.opened_idle
                                       : report_.opened_stalled);
  }
}

// An edge each time the main thread calls.
template <typename Client>
void LoadLoop<Client>::watch_call() {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u32 = index_of(connections_.back());
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, control_.call.fd(), &event);
}

template <typename Client>
bool LoadLoop<Client>::may_open(const Connection& connection) const noexcept {
  if (phase_ == Phase::rest) return connection.role != Role::active;
  return phase_ == Phase::opening ||
         (!stopped() && (open_loop_ || now_ < end_ || owed(connection)));
}

// It is opened in place of one that has not answered all: see `replace`.
template <typename Client>
bool LoadLoop<Client>::owed(const Connection& connection) const noexcept {
  return Client::kResumes && !per_request_ && connection.role == Role::active &&
         connection.in_flight > 0;
}

// What was lost, or has never been open.
template <typename Client>
void LoadLoop<Client>::reopen(Connection& connection) {
  if (open_loop_ && per_request_ && connection.role == Role::active) return release(connection);
  open(connection, now_);
}

// A request that brings its own connection counts from `due`.
template <typename Client>
void LoadLoop<Client>::open(Connection& connection, Instant due) {
  if (!may_open(connection)) return to_open_.push_back(index_of(connection));
  if (per_request_ && connection.role == Role::active) {
    if (!take_ticket(connection, due)) {
      exhausted_ = true;
      return;
    }
    connection.in_flight = 1;
    ++outstanding_;
  }
  connection.waiting = now_ = Clock::now();
  if (!owed(connection)) connection.since = open_loop_ ? due : now_;
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
                      Clock::now() - connection.waiting < options_.connect_timeout;
    if (full) return set_timer(connection, std::chrono::milliseconds(1));
    return connect_failed(connection, attempt.error);
  }
  connection.fd = std::move(attempt.fd);
  ++connection.incarnation;
  connection.answered = owed(connection);
  if (connection.answered) {
    if constexpr (Client::kResumes) client_.resume(connection.protocol);
  } else if (connection.role != Role::idle) {
    client_.open(connection.protocol, connection.number, connection.incarnation);
  }
  // A TCP socket reports EPOLLOUT as an edge only after a send has found it full, so it stays
  // registered. An AF_UNIX one reports it each time the peer reads: that is asked for when stuck.
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLET;
  if (connection.role != Role::never_read) event.events |= EPOLLIN;
  if (!options_.target.is_unix()) event.events |= EPOLLOUT;
  event.data.u32 = index_of(connection);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event);
  if (!attempt.in_progress) connected(connection);
}

template <typename Client>
void LoadLoop<Client>::connected(Connection& connection) {
  --in_progress_;
  connection.status = Status::open;
  now_ = last_connected_ = Clock::now();
  report_.connect.record(now_ - connection.waiting);
  if (connection.role != Role::active) return act_beside(connection);
  if (per_request_) {
    connection.waiting = now_;
    client_.begin(connection.protocol);
    return flush(connection);
  }
  if (owed(connection)) {
    connection.waiting = now_;
    flush(connection);
    if (connection.status != Status::open) return;
  }
  if (phase_ != Phase::load) return;
  if (open_loop_) return release(connection);
  bool begun = false;
  while (connection.in_flight < pipeline_ && next_request(connection)) begun = true;
  if (begun) flush(connection);
}

template <typename Client>
void LoadLoop<Client>::connect_failed(Connection& connection, Errno error) {
  --in_progress_;
  not_connected(connection, error);
  // 100,000 times the timeout, 128 at once, would be an hour.
  const bool in_vain = now_ - last_connected_ > options_.connect_timeout;
  if (phase_ == Phase::opening && error == Errno{ETIMEDOUT} && in_vain) takes_no_more_ = true;
  // With --requests it is a request that failed, or a dead server would be waited for.
  if (phase_ == Phase::load && connection.role == Role::active && connection.in_flight == 0) {
    take_ticket(connection, now_);
    connection.in_flight = connection.ticketed;
    outstanding_ += connection.ticketed;
  }
  drop(connection);
  // What cannot be opened before the load starts is left out, and the result says how many.
  if (phase_ != Phase::opening) reopen_later(connection);
}

template <typename Client>
void LoadLoop<Client>::not_connected(const Connection& connection, Errno error) {
  report_.errors.add(kind_of_failure(error), [&] {
    return fmt::format("connection {}: {}", connection.number,
                       explain_failure(error, options_.target));
  });
}

template <typename Client>
void LoadLoop<Client>::lost(Connection& connection, ErrorKind kind, std::string_view what) {
  if (connection.role > Role::idle) return stop_beside(connection);
  const bool active = connection.role == Role::active;
  const std::string progress = active ? client_.progress(connection.protocol) : "idle";
  const bool explained = active && client_.conclude(connection.protocol);
  // A response that is wrong, such as one with bytes left out, may be late as well. That is one
  // error, not two.
  if (!(explained && kind == ErrorKind::timeout)) {
    report_.errors.add(kind, [&] {
      return fmt::format("connection {}, {}: {}", connection.number, progress, what);
    });
  }
  give_up(connection);
}

template <typename Client>
void LoadLoop<Client>::give_up(Connection& connection) {
  if (connection.role == Role::active) client_.conclude(connection.protocol);
  drop(connection);
  reopen_later(connection);
}

// When the nth request in flight, from the oldest, was sent or due.
template <typename Client>
Instant LoadLoop<Client>::sent_at(const Connection& connection, std::size_t nth) const {
  if (nth == 0) return connection.since;
  return send_times_[std::size_t{index_of(connection)} * pipeline_ +
                     (connection.oldest + nth) % pipeline_];
}

// All its requests in flight have failed.
template <typename Client>
void LoadLoop<Client>::drop(Connection& connection) {
  if (connection.status == Status::closing) --closing_;
  connection.status = Status::closed;
  connection.stuck = false;
  close_with_reset(connection.fd);
  for (std::uint16_t i = 0; i < connection.in_flight; ++i) {
    const bool ticketed = connection.in_flight - i <= connection.ticketed;
    if (counts(sent_at(connection, i), ticketed)) ++report_.failed_requests;
  }
  outstanding_ -= connection.in_flight;
  const std::uint32_t settled = connection.ticketed;
  connection.in_flight = connection.ticketed = 0;
  if (settled > 0) settle(settled);
}

// A response has come that the connection was opened for, or after which the server closes.
template <typename Client>
void LoadLoop<Client>::end_exchange(Connection& connection, bool good) {
  if (!per_request_) {
    complete(connection, good);
    return replace(connection);
  }
  now_ = Clock::now();
  // Who closes looks once more, for nobody will later.
  if (options_.closer != Closer::server && finds_surplus(connection)) good = false;
  account(connection, good);
  switch (options_.closer) {
    case Closer::client:
      return leave(connection);
    case Closer::reset:
      close_with_reset(connection.fd);
      return leave(connection);
    case Closer::server:
      if constexpr (Client::kEndsByHalfClose) ::shutdown(connection.fd.get(), SHUT_WR);
      connection.status = Status::closing;
      ++closing_;
      connection.answered = false;  // What comes now is out of the ordinary.
      connection.waiting = now_;
  }
}

// More than the answer has come by now.
template <typename Client>
bool LoadLoop<Client>::finds_surplus(Connection& connection) {
  const IoResult got = sys::recv(connection.fd.get(), buffer_);
  const bool found = got.ok() && !got.end_of_file();
  if (found) {
    bytes_received_ += got.count();
    client_.receive(connection.protocol, std::span(buffer_).first(got.count()));
  }
  client_.conclude(connection.protocol);
  return found;
}

// Bytes after the answer, before the server closes: errors that fail no request, for this one has
// been counted.
template <typename Client>
void LoadLoop<Client>::take_after(Connection& connection, std::span<const std::byte> bytes) {
  if (client_.receive(connection.protocol, bytes).outcome == Outcome::broken) give_up(connection);
}

// The server has said that it closes after this response, as a server may at any time. What it has
// not answered is asked again on another connection (RFC 9112, 9.3.2), and is not late for that:
// its latency counts from when it was first sent.
template <typename Client>
void LoadLoop<Client>::replace(Connection& connection) {
  connection.stuck = false;
  connection.fd.reset();
  connection.status = Status::closed;
  if (may_open(connection)) ++report_.reconnects;
  open(connection, now_);
}

// The connection is over in good order.
template <typename Client>
void LoadLoop<Client>::leave(Connection& connection) {
  if (connection.status == Status::closing) {
    --closing_;
    client_.conclude(connection.protocol);
  }
  connection.fd.reset();
  connection.status = Status::closed;
  if (open_loop_ && per_request_) return release(connection);
  open(connection, now_);
}

// Pauses grow from 10 to 640 ms while a connection fails in a row, so a server that always fails
// is not hammered, and the loop never spins.
template <typename Client>
void LoadLoop<Client>::reopen_later(Connection& connection) {
  constexpr std::uint8_t kMostDoublings = 6;
  set_timer(connection, std::chrono::milliseconds(10) * (1 << connection.failures));
  if (connection.failures < kMostDoublings) ++connection.failures;
}

template <typename Client>
void LoadLoop<Client>::set_timer(Connection& connection, Nanoseconds pause) {
  timers_.push({now_ + pause, index_of(connection)});
  next_check_ = std::min(next_check_, now_ + pause);
}

template <typename Client>
void LoadLoop<Client>::watch_writable(Connection& connection, bool on) {
  connection.stuck = on;
  if (!options_.target.is_unix()) return;
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLET | (on ? EPOLLOUT : 0U);
  if (connection.role != Role::never_read) event.events |= EPOLLIN;
  event.data.u32 = index_of(connection);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
}

}  // namespace muxbench::loadgen
