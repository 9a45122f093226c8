// epoll, edge-triggered: a wait returns only what has changed, so the program itself remembers what
// is readable and writable until a call says otherwise.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; one epoll_ctl in
// a connection's life. A short read tells that there is no more, without an EAGAIN; not so at urgent
// data, which EPOLLPRI announces.
// Limit: one thread; a descriptor that is left before it is drained is never heard of again, so
// those that have used up their turn are kept in a list.
#include <sys/epoll.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"

namespace muxbench {

const ModelInfo kModel{.name = "epoll_edge",
                       .family = "readiness",
                       .mechanism = "epoll_wait, edge-triggered",
                       .capabilities = {.edge_triggered = true}};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  bool readable : 1 = false;  // until a read is short
  bool writable : 1 = true;   // until a write fails with EAGAIN
  // A short read is not the end: the end of file comes without another edge, and urgent data cuts a
  // read short where it begins.
  bool read_until_empty : 1 = false;
  bool is_unfinished : 1 = false;  // in unfinished_
};

constexpr Token kListener = ~Token{0};

class EpollEdge {
 public:
  explicit EpollEdge(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    watch(listener_, EPOLLIN | EPOLLET, kListener);
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const int timeout = connections_.timeout_ms();
      const bool has_work =
          !unfinished_.empty() || (listener_readable_ && connections_.accepting());
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), has_work ? 0 : timeout);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 == kListener) {
          listener_readable_ = true;
          if ((event.events & EPOLLHUP) != 0) connections_.on_accept_error(Errno{EINVAL});
        } else if (Connection* connection = connections_.find(event.data.u64)) {
          on_edge(*connection, event.events);
          on_ready(event.data.u64, *connection);
        }  // else: closed since this wait began
      }
      resume_unfinished();
      if (listener_readable_ && connections_.accepting()) on_listener_ready();
      connections_.expire([this](Token token) { connections_.close(token); });
    }
    return {};
  }

 private:
  // A turn is at most so many reads: a peer that sends without pause must not keep the others out.
  static constexpr int kReadsPerTurn = 4;
  static constexpr std::uint32_t kWatched = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLOUT | EPOLLET;

  bool watch(int fd, std::uint32_t events, Token token) noexcept {
    epoll_event event{.events = events, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  void on_listener_ready() {
    const AcceptAdvice advice =
        accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
          if (!watch(connection.fd.get(), kWatched, token)) {
            connections_.close(token);
          } else if (connection.session.wants_write()) {
            on_ready(token, connection);
          }
        });
    listener_readable_ = may_have_left_some(advice);  // of which no edge tells
  }

  static void on_edge(Connection& connection, std::uint32_t events) noexcept {
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0) connection.readable = true;
    if ((events & ~std::uint32_t{EPOLLIN | EPOLLPRI | EPOLLRDHUP}) != 0) connection.writable = true;
    if ((events & ~std::uint32_t{EPOLLIN | EPOLLOUT}) != 0) connection.read_until_empty = true;
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    const int fd = connection.fd.get();
    for (int reads = 0; reads < kReadsPerTurn; ++reads) {
      if (!session.wants_write() && connection.readable) {
        const Received received = recv_once(fd, session);
        if (received == Received::failed) return connections_.close(token);
        if (received == Received::all) connection.readable = connection.read_until_empty;
        if (received == Received::end || received == Received::nothing) connection.readable = false;
      }
      if (connection.writable && !send_pending(fd, session)) return connections_.close(token);
      connection.writable = !session.wants_write();
      if (!connection.writable || !connection.readable) return;  // an edge will tell
    }
    if (!connection.is_unfinished) unfinished_.push_back(token);
    connection.is_unfinished = true;
  }

  // One more turn for each.
  void resume_unfinished() {
    resuming_.swap(unfinished_);
    for (const Token token : resuming_) {
      Connection* connection = connections_.find(token);
      if (connection == nullptr) continue;
      connection->is_unfinished = false;
      on_ready(token, *connection);
    }
    resuming_.clear();
  }

  int listener_;
  bool listener_readable_ = false;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::vector<Token> unfinished_;  // they have more to read than one turn allows
  std::vector<Token> resuming_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return EpollEdge(server).run(); }

}  // namespace muxbench
