// Connections that hold no ordinary conversation: silent ones, those that only wait for the end, and
// clients that stall. A stalled client is a burden on the server, not a request: it takes no part in
// the counts, and a server that throws it out does what it should. Wrong bytes are errors here too.
#pragma once

#include <algorithm>
#include <array>

#include "engine/load_loop.h"

namespace muxbench::loadgen {

inline constexpr Nanoseconds kTricklePause = std::chrono::seconds(1);

template <typename Client>
void LoadLoop<Client>::take_beside(Connection& connection, std::span<const std::byte> bytes) {
  if (connection.role == Role::never_read)
    return;  // The peer is going; nothing is held against it.
  if (connection.role <= Role::idle) {
    if (Client::kGreeted && connection.role == Role::idle) return;  // It is greeted too.
    return lost(connection, ErrorKind::extra, "bytes on a connection that asked for nothing");
  }
  do {
    const Received received = client_.receive(connection.protocol, bytes);
    bytes = bytes.subspan(received.consumed);
    if (received.outcome >= Outcome::finished) return stop_beside(connection);
    const bool done = received.outcome != Outcome::more;
    if (done) client_.begin(connection.protocol);
    if (Client::kGreeted && connection.role == Role::mid_message) act_beside(connection);
  } while (!bytes.empty());
}

// Once connected, when its timer is due, and when its socket has room again.
template <typename Client>
void LoadLoop<Client>::act_beside(Connection& connection) {
  if (connection.role == Role::never_read) return never_read(connection);
  if (connection.role == Role::idle) return;
  const bool first = connection.in_flight == 0;
  if (first) {
    connection.in_flight = 1;  // Of a stalled client: it has begun.
    client_.begin(connection.protocol);
  }
  if (connection.role == Role::trickle) {
    send_beside(connection, 1);
    if (usable(connection)) set_timer(connection, kTricklePause);
    return;
  }
  // Half of its message, once; a client that is greeted first has none before.
  const std::size_t size = client_.outgoing(connection.protocol).size();
  if (size == 0 || connection.listed) return;
  connection.listed = true;
  send_beside(connection, size / 2);
}

template <typename Client>
void LoadLoop<Client>::send_beside(Connection& connection, std::size_t most) {
  const Outgoing out = client_.outgoing(connection.protocol);
  std::array<iovec, 3> pieces{};
  std::size_t count = 0;
  for (const iovec& piece : out.pieces()) {
    if (most == 0) break;
    pieces[count] = {piece.iov_base, std::min(piece.iov_len, most)};
    most -= pieces[count++].iov_len;
  }
  if (count == 0) return;
  const IoResult sent = sys::send(connection.fd.get(), std::span(pieces).first(count));
  if (sent.ok()) {
    bytes_sent_ += sent.count();
    client_.sent(connection.protocol, sent.count());
  } else if (!sent.would_block() && !sent.interrupted()) {
    stop_beside(connection);
  }
}

// Asks on and on until the socket is full, some requests at a time, and for more when it has room.
template <typename Client>
void LoadLoop<Client>::never_read(Connection& connection) {
  constexpr int kRequestsAtATime = 16;
  for (int turn = 0; turn < kReadsInTurn; ++turn) {
    if (client_.outgoing(connection.protocol).size() == 0) {
      for (int i = 0; i < kRequestsAtATime; ++i) client_.begin(connection.protocol);
    }
    const Outgoing out = client_.outgoing(connection.protocol);
    if (out.size() == 0) return;  // It waits for a greeting that it never reads.
    const IoResult sent = sys::send(connection.fd.get(), out.pieces());
    if (!sent.ok()) {
      if (sent.interrupted()) continue;
      if (!sent.would_block()) return stop_beside(connection);
      if (!connection.stuck) watch_writable(connection, true);
      return;
    }
    bytes_sent_ += sent.count();
    unread_bytes_ += sent.count();
    report_.live_unread_bytes.store(unread_bytes_, std::memory_order_relaxed);
    client_.sent(connection.protocol, sent.count());
  }
  set_timer(connection, std::chrono::milliseconds(1));  // Others first.
}

// The server has ended it.
template <typename Client>
void LoadLoop<Client>::stop_beside(Connection& connection) {
  client_.conclude(connection.protocol);
  ++report_.stalled_closed;
  connection.in_flight = 0;
  connection.listed = false;
  connection.stuck = false;
  connection.status = Status::closed;
  close_with_reset(connection.fd);
}

}  // namespace muxbench::loadgen
