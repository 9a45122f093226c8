// Non-blocking calls on everything, round and round, never asleep: asking is all there is.
// Syscalls per request: any recv, any accept, 1 send; every round is a failing recv for each
// connection that has sent nothing, and one accept.
// Limit: a processor is always busy, and with n connections an answer waits for n calls.
#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "net/sys.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "nonblocking_spin",
                       .family = "polling",
                       .mechanism = "non-blocking accept, recv and send in a loop",
                       .capabilities = {.idle_cpu = true}};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t position = 0;  // in the list that is gone through
};

class NonblockingSpin {
 public:
  explicit NonblockingSpin(const ServerContext& server)
      : listener_(server.listener), connections_(server) {
    set_nonblocking(server.listener, true);
  }

  Result<> run() {
    while (!connections_.finished()) {
      connections_.timeout_ms();  // not waited for, but it keeps the counters
      if (connections_.accepting()) {
        try_to_accept();
      } else if (!connections_.stopping() && stop_signal::requested()) {
        connections_.on_accept_error(Errno{EINVAL});
      }
      // Backwards: a closed connection's place is taken by the last one, which has had its turn.
      for (std::size_t i = tokens_.size(); i-- > 0;) try_one(tokens_[i]);
      connections_.expire([this](Token token) { close(token); });
    }
    return {};
  }

 private:
  void close(Token token) {
    const std::uint32_t position = connections_.find(token)->position;
    tokens_[position] = tokens_.back();
    connections_.find(tokens_[position])->position = position;
    tokens_.pop_back();
    connections_.close(token);
  }

  void try_to_accept() {
    accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
      connections_.find(token)->position = static_cast<std::uint32_t>(tokens_.size());
      tokens_.push_back(token);
    });
  }

  void try_one(Token token) {
    Connection& connection = *connections_.find(token);
    Session& session = connection.session;
    if (!session.wants_write()) {
      const IoResult got = sys::recv(connection.fd.get(), session.lease_read());
      if (got.ok()) {
        connections_.touch(token);
        session.on_read(got.count());
      } else if (got.would_block() || got.interrupted()) {
        session.cancel_read();
      } else {
        return close(token);
      }
    }
    while (session.wants_write()) {
      const IoResult sent = sys::send(connection.fd.get(), session.write_buffers());
      if (sent.ok()) {
        connections_.touch(token);
        session.on_written(sent.count());
      } else if (sent.would_block()) {
        break;
      } else if (!sent.interrupted()) {
        return close(token);
      }
    }
    if (session.wants_half_close()) {
      ::shutdown(connection.fd.get(), SHUT_WR);
      session.on_half_closed();
    }
    if (session.done()) return close(token);
  }

  int listener_;
  std::vector<Token> tokens_;  // every connection, in the order of their turns
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return NonblockingSpin(server).run(); }

}  // namespace muxbench
