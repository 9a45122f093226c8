// What every readiness model does with a socket that is ready, under the names of the calls that it
// makes. Nothing here waits, registers or submits: that is the model's own.
#pragma once

#include <sys/socket.h>

#include "event_loop/connection_set.h"
#include "net/sys.h"

namespace muxbench {

enum class Received : std::uint8_t {
  all,          // less than there was room for: the socket is empty
  part,         // as much as there was room for: there may be more
  end,          // the peer has finished sending
  nothing,      // EAGAIN
  interrupted,  // EINTR: there may be something
  failed,       // the connection is broken: close it
};

// recv(2), once. The session has taken what came.
inline Received recv_once(int fd, Session& session) noexcept {
  const std::span<std::byte> lease = session.lease_read();
  const IoResult got = sys::recv(fd, lease);
  if (got.ok()) {
    session.on_read(got.count());
    if (got.end_of_file()) return Received::end;
    return got.count() < lease.size() ? Received::all : Received::part;
  }
  session.cancel_read();
  if (got.would_block()) return Received::nothing;
  return got.interrupted() ? Received::interrupted : Received::failed;
}

// send(2) until nothing is pending or the socket takes no more; then, where the session has said all
// and the peer has not, shutdown(2). False: the conversation is over or broken, so close the
// connection. What session.wants_write() afterwards waits until the socket is writable.
inline bool send_pending(int fd, Session& session) noexcept {
  while (session.wants_write()) {
    const IoResult sent = sys::send(fd, session.write_buffers());
    if (sent.ok()) {
      session.on_written(sent.count());
    } else if (sent.would_block()) {
      break;
    } else if (!sent.interrupted()) {
      return false;
    }
  }
  if (session.wants_half_close()) {
    ::shutdown(fd, SHUT_WR);
    session.on_half_closed();
  }
  return !session.done();
}

// Accepted in one go before existing connections get their turn again.
constexpr int kAcceptsPerRound = 64;

// For models that are told of a listener only once: may something be left to accept?
inline bool may_have_left_some(AcceptAdvice advice) noexcept {
  return advice == AcceptAdvice::try_next || advice == AcceptAdvice::pause;
}

// accept4(2) until nothing is left, `most` were accepted, or no more may be. Each is opened, then
// on_accepted(token, connection) called, which may close it. Says why it ended; try_next: there may
// be more.
template <typename Connection, typename OnAccepted>
AcceptAdvice accept_burst(int listener, ConnectionSet<Connection>& connections,
                          OnAccepted on_accepted, int most = kAcceptsPerRound,
                          int flags = SOCK_NONBLOCK) {
  for (int i = 0; i < most; ++i) {
    const IoResult accepted = sys::accept(listener, flags);
    if (accepted.ok()) {
      auto [token, connection] = connections.open(UniqueFd(accepted.fd()));
      on_accepted(token, connection);
      if (!connections.accepting()) break;
    } else {
      const AcceptAdvice advice = connections.on_accept_error(accepted.error());
      if (advice != AcceptAdvice::try_next) return advice;
    }
  }
  return AcceptAdvice::try_next;
}

}  // namespace muxbench
