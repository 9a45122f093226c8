// epoll in several threads that do not accept: one thread accepts for all, and hands each connection
// to the next event loop in turn.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; no epoll_ctl
// unless a write gets stuck, and a write to an eventfd for each connection.
// Limit: one thread accepts; a connection stays with the loop that it was dealt to, however busy
// that is.
#include <sys/epoll.h>

#include <atomic>

#include "blocking/pauses.h"
#include "event_loop/mailbox.h"
#include "event_loop/nonblocking_calls.h"
#include "processes/worker_group.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "epoll_handoff",
                       .family = "readiness",
                       .mechanism = "accept in one thread, epoll_wait in several others",
                       .capabilities = {.workers = true},
                       .says_when_ready = true};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for
};

constexpr Token kInbox = ~Token{0};

// Accepted sockets. The last one is none: after that no more will come.
using Inbox = Mailbox<UniqueFd>;

class EventLoop {
 public:
  EventLoop(const ServerContext& server, Inbox& inbox, std::atomic<std::size_t>& open)
      : server_(server), inbox_(inbox), open_(open), connections_(server) {}

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    std::uint32_t inbox_events = 0;
    watch(inbox_.descriptor(), kInbox, inbox_events, EPOLLIN | EPOLLET);
    server_.ready();
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
      connections_.expire([this](Token token) { close(token); });
    }
    return {};
  }

 private:
  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) {
    if (token == kInbox) {
      on_arrivals();
    } else if (Connection* connection = connections_.find(token)) {  // else: closed since the wait
      on_ready(token, *connection);
    }
  }

  void on_arrivals() {
    inbox_.take(arrivals_);
    for (UniqueFd& fd : arrivals_) {
      if (fd) {
        auto [token, connection] = connections_.open(std::move(fd));
        proceed(token, connection);
      } else {
        connections_.on_accept_error(Errno{EINVAL});  // as from the listener that was shut down
      }
    }
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    if (session.wants_write() || recv_once(connection.fd.get(), session) != Received::failed)
      return proceed(token, connection);
    close(token);
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    if (!send_pending(fd, session)) return close(token);
    const std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (!watch(fd, token, connection.events, wanted)) close(token);
  }

  void close(Token token) noexcept {
    connections_.close(token);
    --open_;
  }

  const ServerContext& server_;
  Inbox& inbox_;
  std::atomic<std::size_t>& open_;
  std::vector<UniqueFd> arrivals_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  ConnectionSet<Connection> connections_;
};

// In the main thread, which the stop signal interrupts wherever it waits.
void accept_for(std::vector<Inbox>& inboxes, const ServerContext& server,
                std::atomic<std::size_t>& open) {
  AcceptThrottle throttle(server.options.max_connections);
  for (std::size_t turn = 0; !stop_signal::requested();) {
    if (!throttle.may_accept(open)) {
      sleep_briefly();
      continue;
    }
    const IoResult accepted = sys::accept(server.listener, SOCK_NONBLOCK);
    if (accepted.ok()) {
      ++open;
      inboxes[turn++ % inboxes.size()].put(UniqueFd(accepted.fd()));
    } else {
      throttle.on_error(accepted.error());
    }
  }
  for (Inbox& inbox : inboxes) inbox.put(UniqueFd());
}

}  // namespace

Result<> serve(ServerContext& server) {
  std::atomic<std::size_t> open = 0;  // connections, those in an inbox too
  std::vector<Inbox> inboxes(server.options.workers);
  for (const Inbox& inbox : inboxes) {
    if (inbox.descriptor() < 0) {
      return make_error("cannot create an eventfd: {}", describe(last_errno()));
    }
  }
  return run_worker_threads(
      server,
      [&](ServerContext& thread) { return EventLoop(thread, inboxes[thread.worker], open).run(); },
      [&](std::size_t) {
        accept_for(inboxes, server, open);
        return Result<>();
      });
}

}  // namespace muxbench
