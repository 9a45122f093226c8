// The load loop's hot path: nothing here allocates or logs while the peer answers well.
#pragma once

#include <algorithm>

#include "engine/load_loop.h"

namespace muxbench::loadgen {

// Events carry the connection's index. A stale one cannot reach a reopened connection: one wait
// reports a socket once, and it is closed only while its own event is handled or between waits.
template <typename Client>
void LoadLoop<Client>::round(Nanoseconds longest_wait) {
  const Instant before = now_;
  const std::size_t unread = unread_.size();
  for (std::size_t i = 0; i < unread; ++i) {
    Connection& connection = connections_[unread_[i]];
    if (usable(connection)) read(connection, true);
  }
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(unread));
  if (!unread_.empty()) longest_wait = Nanoseconds(0);

  const Nanoseconds wait =
      std::clamp<Nanoseconds>(next_check_ - now_, Nanoseconds(0), longest_wait);
  int count = 0;
  if ((open_loop_ || options_.busy_poll) && phase_ == Phase::load) {
    count = wait_precisely(wait);
  } else {
    const auto ceiling = std::chrono::ceil<std::chrono::milliseconds>(wait);
    count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                         static_cast<int>(ceiling.count()));
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    on_event(connections_[event.data.u32], event.events);
  }
  if (now_ == before) now_ = Clock::now();
  if (open_loop_ && phase_ == Phase::load) dispatch();
  if (now_ >= next_check_) check();
}

template <typename Client>
void LoadLoop<Client>::on_event(Connection& connection, std::uint32_t events) {
  constexpr std::uint32_t kOver = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if (connection.status == Status::connecting) [[unlikely]] {
    if ((events & (EPOLLOUT | EPOLLERR)) == 0) return;
    if ((events & EPOLLERR) != 0) {
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(connection.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return connect_failed(connection, Errno{error});
    }
    connected(connection);
  }
  if ((events & EPOLLOUT) != 0 && connection.stuck) flush(connection);
  if ((events & (EPOLLIN | kOver)) != 0 && usable(connection)) {
    read(connection, (events & kOver) != 0);
  }
}

// Edge-triggered: once the peer has closed no further event comes, so it is read to the end then.
// A connection whose bytes keep coming goes on in the next round, after the others had their turn.
template <typename Client>
void LoadLoop<Client>::read(Connection& connection, bool to_the_end) {
  const std::uint32_t incarnation = connection.incarnation;
  int budget = kReadsInTurn;
  while (true) {
    const IoResult got = sys::recv(connection.fd.get(), buffer_);
    if (!got.ok()) {
      if (got.would_block()) return;
      if (got.interrupted()) continue;
      return lost(connection, ErrorKind::reset, describe(got.error()));
    }
    if (got.end_of_file()) {
      if (connection.status == Status::closing) return leave(connection);
      if (connection.role == Role::active &&
          client_.end_of_stream(connection.protocol) == Outcome::finished) {
        complete(connection, true);
        return leave(connection);
      }
      return lost(connection, ErrorKind::closed, "closed by the peer");
    }
    bytes_received_ += got.count();
    take(connection, std::span(buffer_).first(got.count()));
    const bool same = usable(connection) && connection.incarnation == incarnation;
    if (!same || (got.count() < buffer_.size() && !to_the_end)) return;
    if (--budget == 0) return unread_.push_back(index_of(connection));
  }
}

template <typename Client>
void LoadLoop<Client>::take(Connection& connection, std::span<const std::byte> bytes) {
  if (!connection.answered) [[unlikely]] {
    if (connection.role != Role::active) return take_beside(connection, bytes);
    if (connection.status == Status::closing) return take_after(connection, bytes);
    connection.answered = true;
    report_.first_byte.record((now_ = Clock::now()) - connection.since);
  }
  if (pipeline_ > 1) now_ = Clock::now();  // Once for all that came together.
  bool begun = false;
  do {
    const Received received = client_.receive(connection.protocol, bytes);
    bytes = bytes.subspan(received.consumed);
    switch (received.outcome) {
      case Outcome::more:
        if constexpr (Client::kGreeted) flush(connection);
        break;
      case Outcome::succeeded:
      case Outcome::failed:
        if (per_request_) {
          return end_exchange(connection, received.outcome == Outcome::succeeded);
        }
        complete(connection, received.outcome == Outcome::succeeded);
        begun |= next_request(connection);
        if (connection.status != Status::open) return;
        break;
      case Outcome::finished:
      case Outcome::spoiled:
        return end_exchange(connection, received.outcome == Outcome::finished);
      case Outcome::broken:
        return give_up(connection);
    }
  } while (!bytes.empty() || client_.more_complete(connection.protocol));
  if (begun) flush(connection);
}

// After a response. True: a request was begun and has to be flushed.
template <typename Client>
bool LoadLoop<Client>::next_request(Connection& connection) {
  if (!open_loop_) return now_ < end_ && begin_request(connection, now_);
  release(connection);
  return false;
}

// Its latency counts from `due`: in a closed loop from the reading of the clock that completed the
// request before.
template <typename Client>
bool LoadLoop<Client>::begin_request(Connection& connection, Instant due) {
  if (!take_ticket(connection, due)) return false;
  client_.begin(connection.protocol);
  if (connection.in_flight == 0) {
    connection.since = due;
    connection.waiting = now_;
  }
  if (pipeline_ > 1) {
    const std::size_t slot = (connection.oldest + connection.in_flight) % pipeline_;
    send_times_[std::size_t{index_of(connection)} * pipeline_ + slot] = due;
  }
  ++connection.in_flight;
  ++outstanding_;
  return true;
}

// Closed loop: the window counts requests that complete inside it, whenever they were sent; as many
// are in flight at its end as at its beginning, so the rate is right. Open loop: it counts those
// that were due inside it, however late they complete, or a stall at its end would be left out.
template <typename Client>
bool LoadLoop<Client>::counts(Instant since, bool ticketed) const noexcept {
  const Instant moment = open_loop_ ? since : now_;
  return moment >= begin_ && moment < counted_until_ && (control_.requests == 0 || ticketed);
}

template <typename Client>
void LoadLoop<Client>::complete(Connection& connection, bool good) {
  if (pipeline_ == 1) now_ = Clock::now();
  account(connection, good);
}

// Of the oldest request in flight, which was completed now.
template <typename Client>
void LoadLoop<Client>::account(Connection& connection, bool good) {
  const Instant since = connection.since;
  const bool ticketed = connection.ticketed == connection.in_flight;
  connection.waiting = now_;
  --connection.in_flight;
  --outstanding_;
  if (pipeline_ > 1 && connection.in_flight > 0) {
    connection.oldest = static_cast<std::uint16_t>((connection.oldest + 1) % pipeline_);
    connection.since =
        send_times_[std::size_t{index_of(connection)} * pipeline_ + connection.oldest];
  }
  if (good) [[likely]] {
    connection.failures = 0;
    ++completed_;
    if (counts(since, ticketed)) [[likely]] {
      const Nanoseconds latency = now_ - since;
      report_.latency.record(latency);
      report_.slowest = std::max(report_.slowest, latency);
      ++report_.requests;
      ++connection.requests;
    }
  } else if (counts(since, ticketed)) {
    ++report_.failed_requests;
  }
  if (ticketed) {
    --connection.ticketed;
    settle(1);
  }
}

template <typename Client>
void LoadLoop<Client>::flush(Connection& connection) {
  if (connection.role != Role::active) [[unlikely]]
    return act_beside(connection);
  while (true) {
    const Outgoing out = client_.outgoing(connection.protocol);
    if (out.size() == 0) break;
    const IoResult sent = sys::send(connection.fd.get(), out.pieces());
    if (sent.ok()) {
      bytes_sent_ += sent.count();
      client_.sent(connection.protocol, sent.count());
      if (sent.count() == out.size() && !out.continued()) break;
    } else if (sent.would_block()) {
      if (!connection.stuck) watch_writable(connection, true);
      return;
    } else if (!sent.interrupted()) {
      return lost(connection, sent.error() == Errno{EPIPE} ? ErrorKind::closed : ErrorKind::reset,
                  describe(sent.error()));
    }
  }
  if (connection.stuck) watch_writable(connection, false);
}

}  // namespace muxbench::loadgen
