// Background connections: silent ones, which only wait for the end, and clients that stall. A stalled
// client is a burden on the server, not a request: it takes no part in the counts, and a server that
// throws it out does what it should. Wrong bytes are errors here too.
#pragma once

#include <fmt/format.h>

#include <array>

#include "client/client_protocol.h"
#include "engine/connector.h"
#include "engine/loop_state.h"
#include "net/sys.h"

namespace muxbench::loadgen {

template <typename Client>
class Background {
 public:
  Background(LoopState& loop, Client& client) : loop_(loop), client_(client) {}

  // Bytes have come.
  Ending receive(Connection& connection, std::span<const std::byte> bytes) {
    // The peer of one that never reads is going; nothing is held against it.
    if (connection.role == Role::never_read) return Ending::none;
    if (connection.role == Role::idle) return receive_unasked(connection);
    auto& protocol = protocol_of<Client>(connection);
    do {
      const Received received = client_.receive(protocol, bytes);
      bytes = bytes.subspan(received.consumed);
      if (received.outcome >= Outcome::finished) {
        stop(connection);
        return Ending::none;
      }
      if (received.outcome != Outcome::more) client_.begin(protocol);
      if (Client::kGreeted && connection.role == Role::mid_message) act(connection);
    } while (!bytes.empty());
    return Ending::none;
  }

  // Once connected, when its timer is due, and when its socket has room again.
  void act(Connection& connection) {
    if (connection.role == Role::never_read) return send_without_end(connection);
    if (connection.role == Role::idle) return;
    auto& protocol = protocol_of<Client>(connection);
    if (!connection.begun) {
      connection.begun = true;
      client_.begin(protocol);
    }
    if (connection.role == Role::trickle) {
      constexpr Nanoseconds kPause = std::chrono::seconds(1);
      send(connection, 1);
      if (connection.usable()) loop_.timers.set(connection, kPause);
      return;
    }
    // Half of its message, once; a client that is greeted first has none before.
    const std::size_t size = client_.outgoing(protocol).size();
    if (size == 0 || connection.half_sent) return;
    connection.half_sent = true;
    send(connection, size / 2);
  }

  // The server has ended a stalled one.
  void stop(Connection& connection) {
    client_.conclude(protocol_of<Client>(connection));
    loop_.statistics.stalled_closed();
    connection.begun = connection.half_sent = false;
    connection.send_blocked = false;
    connection.status = Status::closed;
    close_with_reset(connection.fd);
  }

 private:
  Ending receive_unasked(const Connection& connection) {
    if constexpr (Client::kGreeted) return Ending::none;  // It is greeted too.
    loop_.statistics.errors().add(ErrorKind::extra, [&] {
      return fmt::format("connection {}, idle: bytes on a connection that asked for nothing",
                         connection.number);
    });
    return Ending::lost;
  }

  void send(Connection& connection, std::size_t most) {
    auto& protocol = protocol_of<Client>(connection);
    const Outgoing out = client_.outgoing(protocol);
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
      loop_.statistics.sent(sent.count());
      client_.sent(protocol, sent.count());
    } else if (!sent.would_block() && !sent.interrupted()) {
      stop(connection);
    }
  }

  // Of a client that never reads: until the socket is full, some requests at a time, and more when it
  // has room.
  void send_without_end(Connection& connection) {
    constexpr int kSendsInTurn = 4;
    constexpr int kRequestsAtATime = 16;
    auto& protocol = protocol_of<Client>(connection);
    for (int turn = 0; turn < kSendsInTurn; ++turn) {
      if (client_.outgoing(protocol).size() == 0) {
        for (int i = 0; i < kRequestsAtATime; ++i) client_.begin(protocol);
      }
      const Outgoing out = client_.outgoing(protocol);
      if (out.size() == 0) return;  // It waits for a greeting that it never reads.
      const IoResult sent = sys::send(connection.fd.get(), out.pieces());
      if (!sent.ok()) {
        if (sent.interrupted()) continue;
        if (!sent.would_block()) return stop(connection);
        if (!connection.send_blocked) loop_.poller.watch_writable(connection, true);
        return;
      }
      loop_.statistics.sent(sent.count());
      loop_.statistics.sent_unread(sent.count());
      client_.sent(protocol, sent.count());
    }
    loop_.timers.set(connection, std::chrono::milliseconds(1));  // Others first.
  }

  LoopState& loop_;
  Client& client_;
};

}  // namespace muxbench::loadgen
