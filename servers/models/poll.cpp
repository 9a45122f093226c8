// poll: the whole list of watched descriptors goes to the kernel at every wait, and comes back to
// be searched.
// Syscalls per request: 1/k poll (k requests ready at once), 1 recv, 1 send.
// Limit: each wait costs time for every connection, idle or not; about 70 to 100 ns apiece.
#include <poll.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"

namespace muxbench {

const ModelInfo kModel{.name = "poll", .family = "readiness", .mechanism = "poll"};

namespace {

struct Connection {
  Connection(UniqueFd accepted, Session its) : fd(std::move(accepted)), session(std::move(its)) {}

  UniqueFd fd;
  std::uint32_t position = 0;  // in the list given to poll
  Session session;
};

class Poll {
 public:
  explicit Poll(const ServerContext& server) : connections_(server) {
    set_nonblocking(server.listener, true);
    watch(server.listener, POLLIN, Token{});
  }

  Result<> run() {
    while (!connections_.finished()) {
      pollfd& listener = watched_[0];
      listener.events = connections_.accepting() ? POLLIN : 0;
      int ready = ::poll(watched_.data(), watched_.size(), connections_.timeout_ms());
      if (ready > 0 && listener.revents != 0) --ready, on_listener_ready();
      // Backwards: a closed connection's place is taken by the last one, which has had its turn.
      for (std::size_t i = watched_.size(); ready > 0 && --i > 0;) {
        if (watched_[i].revents == 0) continue;
        --ready;
        on_ready(connections_.token_at(indices_[i]));
      }
      connections_.expire([this](Token token) { close(token); });
    }
    return {};
  }

 private:
  void watch(int fd, short events, Token token) {
    watched_.push_back({.fd = fd, .events = events, .revents = 0});
    indices_.push_back(static_cast<std::uint32_t>(token));
  }

  void close(Token token) {
    const std::uint32_t position = connections_.find(token)->position;
    watched_[position] = watched_.back();
    indices_[position] = indices_.back();
    connections_.find(connections_.token_at(indices_[position]))->position = position;
    watched_.pop_back();
    indices_.pop_back();
    connections_.close(token);
  }

  void on_listener_ready() {
    const AcceptAdvice advice =
        accept_burst(watched_[0].fd, connections_, [this](Token token, Connection& connection) {
          connection.position = static_cast<std::uint32_t>(watched_.size());
          watch(connection.fd.get(), POLLIN, token);
          if (connection.session.wants_write()) on_ready(token);
        });
    if (advice == AcceptAdvice::stop) watched_[0].fd = -1;  // poll passes over it
  }

  void on_ready(Token token) {
    Connection& connection = *connections_.find(token);
    Session& session = connection.session;
    connections_.touch(token);
    const int fd = connection.fd.get();
    if (!session.wants_write() && recv_once(fd, session) == Received::failed) return close(token);
    if (!send_pending(fd, session)) return close(token);
    watched_[connection.position].events = session.wants_write() ? POLLOUT : POLLIN;
  }

  std::vector<pollfd> watched_;         // [0] is the listener
  std::vector<std::uint32_t> indices_;  // in the table: whose connection watched_[i] is
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Poll(server).run(); }

}  // namespace muxbench
