// How a connection ends that was opened for one request (--churn): who closes it, and what comes
// after the answer.
#pragma once

#include <sys/socket.h>

#include "client/client_protocol.h"
#include "engine/connector.h"
#include "engine/requests.h"
#include "net/sys.h"

namespace muxbench::loadgen {

template <typename Client>
class Churn {
 public:
  Churn(LoopState& loop, Client& client, Requests& requests)
      : loop_(loop), client_(client), requests_(requests) {}

  // The answer has come. False: the server has yet to close the connection.
  bool end(Connection& connection, bool good) {
    loop_.clock.read();
    const Closer closer = loop_.options.closer;
    // Who closes looks once more, for nobody will later.
    if (closer != Closer::server && has_surplus(connection)) good = false;
    requests_.complete(connection, good);
    if (closer == Closer::reset) close_with_reset(connection.fd);
    if (closer != Closer::server) return true;
    if constexpr (Client::kEndsByHalfClose) ::shutdown(connection.fd.get(), SHUT_WR);
    connection.status = Status::closing;
    ++closing_;
    connection.answered = false;  // What comes now is out of the ordinary.
    connection.waiting_since = loop_.clock.now;
    return false;
  }

  // Bytes that come before the server closes: errors that fail no request, for this one has been
  // counted. False: the connection cannot be trusted.
  bool receive_surplus(Connection& connection, std::span<const std::byte> bytes) {
    return client_.receive(protocol_of<Client>(connection), bytes).outcome != Outcome::broken;
  }

  // The connection is about to be closed.
  void forget(const Connection& connection) noexcept {
    if (connection.status == Status::closing) --closing_;
  }
  // Connections that the server has yet to close.
  std::uint32_t closing() const noexcept { return closing_; }

 private:
  // More than the answer has come by now.
  bool has_surplus(Connection& connection) {
    const IoResult got = sys::recv(connection.fd.get(), loop_.buffer);
    const bool found = got.ok() && !got.end_of_file();
    if (found) {
      loop_.statistics.received(got.count());
      client_.receive(protocol_of<Client>(connection), std::span(loop_.buffer).first(got.count()));
    }
    client_.conclude(protocol_of<Client>(connection));
    return found;
  }

  LoopState& loop_;
  Client& client_;
  Requests& requests_;
  std::uint32_t closing_ = 0;
};

}  // namespace muxbench::loadgen
