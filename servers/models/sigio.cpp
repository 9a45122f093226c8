// Signal-driven I/O: SIGIO says that something happened on some descriptor, a scan finds out what.
// Syscalls per request: 2/k sigtimedwait, 2/k poll (k requests ready at once), 1 recv, 1 send; of
// each two the second makes sure that nothing is left.
// Limit: the signal names no descriptor and pending ones merge into one, so every wake-up costs
// time for every connection; each arrival sends a signal, wanted or not.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{
    .name = "sigio", .family = "signal", .mechanism = "O_ASYNC and SIGIO, then a scan with poll"};

namespace {

struct Connection {
  Connection(UniqueFd accepted, Session its) : fd(std::move(accepted)), session(std::move(its)) {}

  UniqueFd fd;
  std::uint32_t position = 0;  // in the list that is scanned
  Session session;
};

class Sigio {
 public:
  explicit Sigio(const ServerContext& server) : connections_(server) {
    // All of these stay blocked, and are taken where we wait: none is lost between a look and a
    // wait.
    ::sigemptyset(&awaited_);
    for (const int number : {SIGIO, SIGTERM, SIGINT}) ::sigaddset(&awaited_, number);
    ::sigprocmask(SIG_BLOCK, &awaited_, nullptr);
    send_signals_for(server.listener);
    watch(server.listener, POLLIN, Token{});
  }

  Result<> run() {
    while (!connections_.finished()) {
      const bool found_something = scan();
      wait(found_something ? 0 : connections_.timeout_ms());
      connections_.expire([this](Token token) { close(token); });
    }
    return {};
  }

 private:
  static bool send_signals_for(int fd) noexcept {
    return ::fcntl(fd, F_SETOWN, ::getpid()) == 0 &&
           ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_ASYNC | O_NONBLOCK) == 0;
  }

  // Sleeps only after a scan that found nothing: what came in since then has its signal pending.
  void wait(int timeout) noexcept {
    const timespec limit{.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1'000'000L};
    const int number = ::sigtimedwait(&awaited_, nullptr, timeout < 0 ? nullptr : &limit);
    if (number == SIGTERM || number == SIGINT) deliver(number);
  }

  // The scan finds the listener shut down then. From here on a stop signal goes straight to the
  // server's handler, and ends the process.
  void deliver(int number) noexcept {
    for (const int each : {SIGTERM, SIGINT}) ::sigdelset(&awaited_, each);
    stop_signal::deliver(number);
  }

  bool scan() {
    pollfd& listener = watched_[0];
    listener.events = connections_.accepting() ? POLLIN : 0;
    int ready = ::poll(watched_.data(), watched_.size(), 0);
    const bool found_something = ready != 0;  // a signal may interrupt it before it has looked
    if (ready > 0 && listener.revents != 0) --ready, on_listener_ready();
    // Backwards: a closed connection's place is taken by the last one, which has had its turn.
    for (std::size_t i = watched_.size(); ready > 0 && --i > 0;) {
      if (watched_[i].revents == 0) continue;
      --ready;
      on_ready(connections_.token_at(indices_[i]));
    }
    return found_something;
  }

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

  // What arrived before the signals were asked for is found by the next scan.
  void on_listener_ready() {
    const AcceptAdvice advice =
        accept_burst(watched_[0].fd, connections_, [this](Token token, Connection& connection) {
          connection.position = static_cast<std::uint32_t>(watched_.size());
          watch(connection.fd.get(), POLLIN, token);
          if (!send_signals_for(connection.fd.get())) {
            close(token);
          } else if (connection.session.wants_write()) {
            on_ready(token);
          }
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
  sigset_t awaited_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Sigio(server).run(); }

}  // namespace muxbench
