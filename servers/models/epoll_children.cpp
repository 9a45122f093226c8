// epoll with child processes: the work for a request is done by a process, and a signalfd in the set
// says when some have ended, so that one loop waits for connections and for children alike.
// Syscalls per request: 1/k epoll_wait (k requests ready at once), 1 recv, 1 send; with --work child
// also a vfork, 2 epoll_ctl and a waitpid, and a read of the signalfd for all that ended together.
// Limit: a process for each request; SIGCHLD does not say who ended, so each asks for all.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <unordered_map>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "processes/child_work.h"

namespace muxbench {

const ModelInfo kModel{.name = "epoll_children",
                       .family = "readiness",
                       .mechanism = "epoll_wait, level-triggered, with a signalfd for children",
                       .capabilities = {.child_work = true}};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  std::uint32_t events = 0;  // what epoll watches for; 0: it is not in the set
};

constexpr Token kListener = ~Token{0};
constexpr Token kChildren = ~Token{1};

class EpollChildren {
 public:
  explicit EpollChildren(const ServerContext& server)
      : listener_(server.listener), connections_(server) {
    // Blocked, so that it stays pending for the signalfd instead of interrupting.
    ::sigemptyset(&child_ended_);
    ::sigaddset(&child_ended_, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child_ended_, nullptr);
    children_.reset(::signalfd(-1, &child_ended_, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  Result<> run() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    std::uint32_t listener_events = 0, children_events = 0;
    if (!watch(children_.get(), kChildren, children_events, EPOLLIN)) {
      return make_error("cannot wait for children: {}", describe(last_errno()));
    }
    std::array<epoll_event, 512> events;
    while (!connections_.finished()) {
      const auto wanted = connections_.accepting() ? EPOLLIN : EPOLLONESHOT;  // or hang-up, once
      watch(listener_, kListener, listener_events, wanted);
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), events.size(), connections_.timeout_ms());
      for (int i = 0; i < ready; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64);
      connections_.expire([this](Token token) { connections_.close(token); });
    }
    return {};
  }

 private:
  bool watch(int fd, Token token, std::uint32_t& events, std::uint32_t wanted) noexcept {
    if (wanted == events) return true;
    const int operation = events == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    events = wanted;
    epoll_event event{.events = wanted, .data = {.u64 = token}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_event(Token token) {
    if (token == kListener) {
      accept_burst(listener_, connections_, [this](Token t, Connection& c) { proceed(t, c); });
    } else if (token == kChildren) {
      on_children_ended();
    } else if (Connection* connection = connections_.find(token)) {  // else: closed since the wait
      on_ready(token, *connection);
    }
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    if (session.wants_write() || recv_once(connection.fd.get(), session) != Received::failed)
      return proceed(token, connection);
    connections_.close(token);
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    const int fd = connection.fd.get();
    if (!send_pending(fd, session)) return connections_.close(token);
    if (session.awaits_work() && !start_child(token)) return connections_.close(token);
    std::uint32_t wanted = session.wants_write() ? EPOLLOUT : EPOLLIN;
    if (session.awaits_work()) wanted = 0;  // until its child has ended
    if (!watch(fd, token, connection.events, wanted)) connections_.close(token);
  }

  bool start_child(Token token) {
    const pid_t child = start_child_work();
    if (child > 0) token_of_[child] = token;
    return child > 0;
  }

  // One SIGCHLD may stand for many children. First it is taken, then they are: one that ends in
  // between sends another.
  void on_children_ended() {
    signalfd_siginfo signal;
    [[maybe_unused]] const ssize_t taken = ::read(children_.get(), &signal, sizeof signal);
    for (pid_t ended; (ended = ::waitpid(-1, nullptr, WNOHANG)) > 0;) {
      const auto work = token_of_.extract(ended);
      Connection* connection = work ? connections_.find(work.mapped()) : nullptr;
      if (connection == nullptr) continue;  // closed meanwhile
      connection->session.on_work_done();
      connections_.touch(work.mapped());
      proceed(work.mapped(), *connection);
    }
  }

  int listener_;
  UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  sigset_t child_ended_;
  UniqueFd children_;
  std::unordered_map<pid_t, Token> token_of_;  // whose request a child works for
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return EpollChildren(server).run(); }

}  // namespace muxbench
