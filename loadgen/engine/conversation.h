// The hot path: what is read from a connection and written to it. The client protocol is a template
// argument, so the path from a readable socket to the next send is one inlined piece of code: recv,
// compare, read the clock, record, send. Nothing here allocates or logs while the peer answers well.
#pragma once

#include <fmt/format.h>

#include "engine/background.h"
#include "engine/churn.h"

namespace muxbench::loadgen {

inline constexpr int kReadsInTurn = 4;

template <typename Client>
class Conversation {
 public:
  Conversation(LoopState& loop, Client& client, Requests& requests, Background<Client>& background,
               Churn<Client>& churn)
      : loop_(loop), client_(client), requests_(requests), background_(background), churn_(churn) {}

  // Edge-triggered: a read that does not fill the buffer has emptied the socket. Once the peer has
  // closed no further event comes, so it is read to the end then. A connection whose bytes keep
  // coming goes on in the next round, after the others had their turn.
  // `next(connection)` is called after each response. True: it has begun a request, which is flushed.
  template <typename Next>
  Ending read(Connection& connection, bool to_the_end, Next next) {
    int budget = kReadsInTurn;
    while (true) {
      const IoResult got = sys::recv(connection.fd.get(), loop_.buffer);
      if (!got.ok()) {
        if (got.would_block()) return Ending::none;
        if (got.interrupted()) continue;
        return lose(connection, ErrorKind::reset, describe(got.error()));
      }
      if (got.end_of_file()) return end_of_stream(connection);
      loop_.statistics.received(got.count());
      const Ending ending = take(connection, std::span(loop_.buffer).first(got.count()), next);
      if (ending != Ending::none) return ending;
      if (!connection.usable()) return Ending::none;
      if (got.count() < loop_.buffer.size() && !to_the_end) return Ending::none;
      if (--budget == 0) {
        unread_.push_back(&connection);
        return Ending::none;
      }
    }
  }
  // Connections that have more to read than was their turn.
  std::vector<Connection*>& unread() noexcept { return unread_; }

  // False: as many requests as were asked for have been begun.
  [[gnu::always_inline]] bool begin(Connection& connection, Instant due) {
    if (!requests_.begin(connection, due)) return false;
    client_.begin(protocol_of<Client>(connection));
    return true;
  }

  // Sends what has been begun, or as much as the socket takes.
  Ending flush(Connection& connection) {
    if (connection.role != Role::active) [[unlikely]] {
      background_.act(connection);
      return Ending::none;
    }
    auto& protocol = protocol_of<Client>(connection);
    while (true) {
      const Outgoing out = client_.outgoing(protocol);
      if (out.size() == 0) break;
      const IoResult sent = sys::send(connection.fd.get(), out.pieces());
      if (sent.ok()) {
        loop_.statistics.sent(sent.count());
        client_.sent(protocol, sent.count());
        if (sent.count() == out.size() && !out.continued()) break;
      } else if (sent.would_block()) {
        if (!connection.send_blocked) loop_.poller.watch_writable(connection, true);
        return Ending::none;
      } else if (!sent.interrupted()) {
        return lose(connection, sent.error() == Errno{EPIPE} ? ErrorKind::closed : ErrorKind::reset,
                    describe(sent.error()));
      }
    }
    if (connection.send_blocked) loop_.poller.watch_writable(connection, false);
    return Ending::none;
  }

  // Reports why a connection is lost. A server that ends a stalled one does what it should.
  Ending lose(Connection& connection, ErrorKind kind, std::string_view what) {
    if (connection.role > Role::idle) return Ending::lost;
    auto& protocol = protocol_of<Client>(connection);
    const bool active = connection.role == Role::active;
    const std::string progress = active ? client_.progress(protocol) : "idle";
    const bool explained = active && client_.conclude(protocol);
    // A response that is wrong, such as one with bytes left out, may be late as well. That is one
    // error, not two.
    if (!(explained && kind == ErrorKind::timeout)) {
      loop_.statistics.errors().add(kind, [&] {
        return fmt::format("connection {}, {}: {}", connection.number, progress, what);
      });
    }
    return Ending::lost;
  }

  // At the end of the run: what has come since the last look no longer counts, but must be right.
  void verify_rest(Connection& connection) {
    for (int i = 0; i < kReadsInTurn; ++i) {
      const IoResult got = sys::recv(connection.fd.get(), loop_.buffer);
      if (!got.ok() || got.end_of_file()) return;
      std::span<const std::byte> bytes = std::span(loop_.buffer).first(got.count());
      while (!bytes.empty()) {
        const Received received = client_.receive(protocol_of<Client>(connection), bytes);
        bytes = bytes.subspan(received.consumed);
        if (received.outcome >= Outcome::finished) return;
      }
    }
  }

 private:
  template <typename Next>
  Ending take(Connection& connection, std::span<const std::byte> bytes, Next& next) {
    if (!connection.answered) [[unlikely]] {
      if (connection.role != Role::active) return background_.receive(connection, bytes);
      if (connection.status == Status::closing) {
        return churn_.receive_surplus(connection, bytes) ? Ending::none : Ending::lost;
      }
      connection.answered = true;
      loop_.statistics.first_byte(loop_.clock.read() - connection.latency_start);
    }
    if (loop_.pipeline > 1) loop_.clock.read();  // Once for all that came together.
    auto& protocol = protocol_of<Client>(connection);
    bool begun = false;
    do {
      const Received received = client_.receive(protocol, bytes);
      bytes = bytes.subspan(received.consumed);
      const Outcome outcome = received.outcome;
      switch (outcome) {
        case Outcome::more:
          if constexpr (Client::kGreeted) {
            if (const Ending ending = flush(connection); ending != Ending::none) return ending;
          }
          break;
        case Outcome::succeeded:
        case Outcome::failed:
          if (loop_.per_request) return end_request(connection, outcome == Outcome::succeeded);
          complete(connection, outcome == Outcome::succeeded);
          begun |= next(connection);
          if (connection.status != Status::open) return Ending::none;
          break;
        case Outcome::finished:
        case Outcome::spoiled:
          if (loop_.per_request) return end_request(connection, outcome == Outcome::finished);
          complete(connection, outcome == Outcome::finished);
          return Ending::announced;
        case Outcome::broken:
          return Ending::lost;
      }
    } while (!bytes.empty() || client_.more_complete(protocol));
    return begun ? flush(connection) : Ending::none;
  }

  [[gnu::always_inline]] void complete(Connection& connection, bool good) {
    if (loop_.pipeline == 1) loop_.clock.read();
    requests_.complete(connection, good);
  }

  Ending end_request(Connection& connection, bool good) {
    return churn_.end(connection, good) ? Ending::over : Ending::none;
  }

  Ending end_of_stream(Connection& connection) {
    if (connection.status == Status::closing) return Ending::over;
    if (connection.role == Role::active &&
        client_.end_of_stream(protocol_of<Client>(connection)) == Outcome::finished) {
      complete(connection, true);
      return Ending::over;
    }
    return lose(connection, ErrorKind::closed, "closed by the peer");
  }

  LoopState& loop_;
  Client& client_;
  Requests& requests_;
  Background<Client>& background_;
  Churn<Client>& churn_;
  std::vector<Connection*> unread_;
};

}  // namespace muxbench::loadgen
