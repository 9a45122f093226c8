// Real-time signals: each event on a descriptor is queued as a signal that names it, and the queue
// is read in batches.
// Syscalls per request: 1/k read (of a signalfd; k signals queued), 1 recv, 1 send.
// Limit: the queue is short (ulimit -i) and every segment that arrives takes a place in it; when it
// overflows, only a look at every connection finds out what was missed.
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <csignal>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {

const ModelInfo kModel{.name = "rt_signal",
                       .family = "signal",
                       .mechanism = "O_ASYNC and F_SETSIG, signals read in batches from a signalfd",
                       .capabilities = {.edge_triggered = true}};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  // Signals for what has arrived may be gone already: only EAGAIN says that nothing is left.
  bool read_until_empty = true;
  // Then a short read never says so: it ends where urgent data begins.
  bool sends_urgent_data = false;
  bool unfinished = false;  // is in the list of those that are read on without a signal
};

class RtSignal {
 public:
  explicit RtSignal(const ServerContext& server)
      : signal_(SIGRTMIN), listener_(server.listener), connections_(server) {
    // SIGIO: the queue was full. The stop signals wait in the same queue, so that none comes
    // between a look at it and the sleep.
    ::sigemptyset(&awaited_);
    for (const int number : {signal_, SIGIO, SIGTERM, SIGINT}) ::sigaddset(&awaited_, number);
    ::sigprocmask(SIG_BLOCK, &awaited_, nullptr);
    queue_.reset(::signalfd(-1, &awaited_, SFD_CLOEXEC));
  }

  Result<> run() {
    if (!queue_) return make_error("cannot create a signalfd: {}", describe(last_errno()));
    if (!send_signals_for(listener_)) {
      return make_error("cannot ask for real-time signals: {}", describe(last_errno()));
    }
    std::array<signalfd_siginfo, 64> signals;
    while (true) {
      if (listener_may_be_ready_ && connections_.accepting()) on_listener_ready();
      resume_unfinished();
      if (connections_.finished()) return {};
      const std::size_t taken = take_signals(signals);
      for (std::size_t i = 0; i < taken; ++i) on_signal(signals[i]);
      connections_.expire([this](Token token) { close(token); });
    }
  }

 private:
  // Reads of one connection before the others get their turn again.
  static constexpr int kReadsPerTurn = 16;

  bool send_signals_for(int fd) const noexcept {
    const f_owner_ex owner{.type = F_OWNER_TID, .pid = ::gettid()};
    return ::fcntl(fd, F_SETOWN_EX, &owner) == 0 && ::fcntl(fd, F_SETSIG, signal_) == 0 &&
           ::fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
  }

  // Blocks in read(2), which has no timeout: where one is needed, poll comes first.
  std::size_t take_signals(std::span<signalfd_siginfo> signals) noexcept {
    const bool more_to_do =
        !unfinished_.empty() || (listener_may_be_ready_ && connections_.accepting());
    const int timeout = more_to_do ? 0 : connections_.timeout_ms();
    if (timeout >= 0) {
      pollfd queue{.fd = queue_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&queue, 1, timeout) <= 0) return 0;
    }
    const ssize_t bytes = ::read(queue_.get(), signals.data(), signals.size_bytes());
    return bytes < 0 ? 0 : static_cast<std::size_t>(bytes) / sizeof signals[0];
  }

  void on_signal(const signalfd_siginfo& signal) {
    const auto number = static_cast<int>(signal.ssi_signo);
    if (number == SIGIO) return look_at_everything();
    if (number == SIGTERM || number == SIGINT) return stop(number);
    if (signal.ssi_fd == listener_) {
      listener_may_be_ready_ = true;
    } else if (const auto fd = static_cast<std::size_t>(signal.ssi_fd); fd < token_of_.size()) {
      // A signal may be older than the connection that has its descriptor now. Then its read finds
      // nothing, and that is all.
      if (Connection* connection = connections_.find(token_of_[fd])) {
        if ((signal.ssi_band & POLLPRI) != 0) {
          connection->sends_urgent_data = connection->read_until_empty = true;
        }
        on_ready(token_of_[fd], *connection);
      }
    }
  }

  // The queue has overflowed. It is emptied first (sigaction(2): ignoring a signal discards those
  // that are pending; new ones are still queued, because it is blocked), so that whatever happens
  // from now on has a signal, and what happened before is found here.
  void look_at_everything() {
    std::signal(signal_, SIG_IGN);
    listener_may_be_ready_ = true;
    connections_.each(
        [this](Token token, Connection& connection) { finish_later(token, connection); });
  }

  // The server's handler shuts the listener down. From here on a stop signal goes straight there, and
  // ends the process. Ending a connection's input sends no signal.
  void stop(int number) {
    for (const int each : {SIGTERM, SIGINT}) ::sigdelset(&awaited_, each);
    ::signalfd(queue_.get(), &awaited_, 0);
    stop_signal::deliver(number);
    on_listener_ready();
    look_at_everything();
  }

  void close(Token token) noexcept {
    token_of_[static_cast<std::size_t>(connections_.find(token)->fd.get())] = kNone;
    connections_.close(token);
  }

  void on_listener_ready() {
    const auto on_accepted = [this](Token token, Connection& connection) {
      const auto fd = static_cast<std::size_t>(connection.fd.get());
      if (fd >= token_of_.size()) token_of_.resize(2 * fd + 1, kNone);
      token_of_[fd] = token;
      if (!send_signals_for(connection.fd.get())) return close(token);
      on_ready(token, connection);  // what came before the signals were asked for sends none
    };
    // One signal may stand for many connections: only here it is certain that none is left.
    listener_may_be_ready_ = may_have_left_some(accept_burst(listener_, connections_, on_accepted));
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    const int fd = connection.fd.get();
    for (int reads = 0; reads < kReadsPerTurn; ++reads) {
      if (!send_pending(fd, session)) return close(token);
      if (session.wants_write()) {
        connection.read_until_empty = true;  // signals that come meanwhile are not followed
        return;
      }
      if (reads != 0 && !connection.read_until_empty) return;
      switch (recv_once(fd, session)) {
        case Received::failed:
          return close(token);
        case Received::nothing:
          connection.read_until_empty = connection.sends_urgent_data;
          return;
        case Received::part:         // what is left has no signal of its own
        case Received::interrupted:  // the signal for what is there has been taken
          connection.read_until_empty = true;
          break;
        case Received::all:
        case Received::end:
          break;  // what comes next has a signal of its own
      }
    }
    finish_later(token, connection);
  }

  void finish_later(Token token, Connection& connection) {
    connection.read_until_empty = true;
    if (!std::exchange(connection.unfinished, true)) unfinished_.push_back(token);
  }

  void resume_unfinished() {
    std::swap(unfinished_, resuming_);
    for (const Token token : resuming_) {
      Connection* connection = connections_.find(token);
      if (connection == nullptr) continue;
      connection->unfinished = false;
      on_ready(token, *connection);
    }
    resuming_.clear();
  }

  static constexpr Token kNone = ~Token{0};

  const int signal_;
  const int listener_;
  bool listener_may_be_ready_ = true;
  sigset_t awaited_;
  UniqueFd queue_;
  std::vector<Token> token_of_;    // by descriptor, which is what a signal names
  std::vector<Token> unfinished_;  // to be read on without waiting for a signal
  std::vector<Token> resuming_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return RtSignal(server).run(); }

}  // namespace muxbench
