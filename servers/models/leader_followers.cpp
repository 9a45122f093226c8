// Threads that take turns waiting: one, the leader, waits for one event, and promotes the next
// thread to lead before it works on that.
// Syscalls per request: 1 epoll_wait, 1 recv, 1 send, 1 epoll_ctl, any futex. The event of a
// connection that is being worked on is off until the epoll_ctl (EPOLLONESHOT).
// Limit: no wait brings more than one request, and every request changes the thread that waits.
#include <sys/epoll.h>

#include <mutex>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "processes/worker_group.h"

namespace muxbench {

const ModelInfo kModel{.name = "leader_followers",
                       .family = "readiness",
                       .mechanism = "epoll_wait in one of several threads at a time, EPOLLONESHOT",
                       .capabilities = {.workers = true},
                       .says_when_ready = true};

namespace {

// Belongs to the thread that was handed its event, until that thread arms it again: only then may
// it be read, written or closed. Others may shut the socket down, under the lock: its event then
// brings it to a thread that closes it. So events can name it by address: an event for a closed
// connection cannot be, as the one that leads to closing was its last.
struct Connection {
  UniqueFd fd;
  Session session;
  std::atomic<Token> token = 0;  // never changes; why it is atomic: see hand_on()
};

class LeaderFollowers {
 public:
  explicit LeaderFollowers(const ServerContext& server)
      : listener_(server.listener),
        has_idle_timeout_(server.options.idle_timeout.count() != 0),
        connections_(server) {}

  Result<> begin() {
    if (!epoll_) return make_error("cannot create an epoll set: {}", describe(last_errno()));
    set_nonblocking(listener_, true);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN | EPOLLONESHOT, nullptr);
    return {};
  }

  // A connection takes its buffers from the pool of the thread that has it, and gives them back to
  // the pool of the thread that has it then: no pool is shared, so none needs a lock.
  Result<> run_thread(const ServerContext& thread) {
    SessionContext sessions = thread.new_session_context();
    thread.ready();
    while (!finished_) {
      if (Connection* const ready = lead(thread, sessions)) on_ready(*ready, sessions);
      count(thread.counters().requests, std::exchange(sessions.requests, 0));
    }
    return {};
  }

 private:
  // The followers wait for the lock; giving it up promotes one of them. The leader accepts before
  // that, so that whoever leads next knows how long it may wait.
  Connection* lead(const ServerContext& thread, SessionContext& sessions) {
    const std::lock_guard leadership(leadership_);
    if (finished_) return nullptr;
    epoll_event event{};
    const int ready = ::epoll_wait(epoll_.get(), &event, 1, timeout_ms());
    keep_time();
    if (ready <= 0) return nullptr;
    if (event.data.ptr == nullptr) on_listener_ready(thread, sessions);
    return static_cast<Connection*>(event.data.ptr);
  }

  bool watch(int operation, int fd, std::uint32_t events, Connection* connection) noexcept {
    epoll_event event{.events = events, .data = {.ptr = connection}};
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  void on_listener_ready(const ServerContext& thread, SessionContext& sessions) {
    bool more = !finished_;
    for (int i = 0; more && i < kAcceptsPerRound; ++i) {
      const IoResult accepted = sys::accept(listener_, SOCK_NONBLOCK);
      std::unique_lock lock(mutex_);
      if (!accepted.ok()) {
        more = connections_.on_accept_error(accepted.error()) == AcceptAdvice::try_next;
        continue;
      }
      auto [token, connection] =
          connections_.open(UniqueFd(accepted.fd()), sessions, thread.counters());
      connection.token.store(token, std::memory_order_relaxed);
      more = connections_.accepting();
      lock.unlock();
      proceed(connection, EPOLL_CTL_ADD);
    }
    const std::lock_guard lock(mutex_);
    arm_listener();
  }

  void on_ready(Connection& connection, SessionContext& sessions) {
    const Token token = connection.token.load(std::memory_order_acquire);
    Session& session = connection.session;
    session.move_to(sessions);
    touch(token);
    if (!session.wants_write() && recv_once(connection.fd.get(), session) == Received::failed) {
      return close(connection);
    }
    proceed(connection, EPOLL_CTL_MOD);
  }

  void proceed(Connection& connection, int operation) {
    if (!send_pending(connection.fd.get(), connection.session)) return close(connection);
    hand_on(connection, operation);
  }

  // If this succeeds, the connection may be another thread's before the call has returned. That the
  // next one sees all that this one did to it, the kernel's lock ensures; storing the token once
  // more, and the load in on_ready(), say the same in terms of C++, and cost nothing.
  void hand_on(Connection& connection, int operation) {
    const std::uint32_t wanted = connection.session.wants_write() ? EPOLLOUT : EPOLLIN;
    const int fd = connection.fd.get();
    connection.token.store(connection.token.load(std::memory_order_relaxed),
                           std::memory_order_release);
    if (!watch(operation, fd, wanted | EPOLLONESHOT, &connection)) close(connection);
  }

  void close(Connection& connection) {
    UniqueFd ended;  // closed after the lock is given up
    const std::lock_guard lock(mutex_);
    ended = std::move(connection.fd);
    connections_.close(connection.token);
    if (connections_.stopping() || listener_is_parked_) arm_listener();
  }

  // Not watched for input while no connection may be accepted; the stop signal's hang-up is
  // reported all the same. At the very end it is armed for good: shut down as it is, it is ready
  // for ever, and so wakes the leader. Needs the lock.
  void arm_listener() {
    finished_ = connections_.finished();
    if (connections_.stopping() && !finished_) return;
    listener_is_parked_ = !connections_.accepting();
    watch(EPOLL_CTL_MOD, listener_,
          finished_             ? EPOLLIN
          : listener_is_parked_ ? EPOLLONESHOT
                                : EPOLLIN | EPOLLONESHOT,
          nullptr);
  }

  void touch(Token token) {
    if (!has_idle_timeout_) return;
    const std::lock_guard lock(mutex_);
    connections_.touch(token);
  }

  int timeout_ms() {
    if (!has_idle_timeout_ && !listener_is_parked_) return -1;
    const std::lock_guard lock(mutex_);
    return connections_.timeout_ms();
  }

  void keep_time() {
    if (!has_idle_timeout_ && !listener_is_parked_) return;
    const std::lock_guard lock(mutex_);
    const auto end = [this](Token token) {
      ::shutdown(connections_.find(token)->fd.get(), SHUT_RDWR);
      connections_.restart_silence(token);  // so that it is not visited again before it is closed
    };
    connections_.expire(end, [](const Connection&) { return false; });
    if (listener_is_parked_ && connections_.accepting()) arm_listener();
  }

  const int listener_;
  const bool has_idle_timeout_;
  const UniqueFd epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  std::atomic<bool> finished_ = false;
  std::atomic<bool> listener_is_parked_ = false;  // changed under mutex_
  std::mutex leadership_;                         // held while waiting
  std::mutex
      mutex_;  // guards connections_: held when a connection begins and ends, not for a request
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  LeaderFollowers model(server);
  if (Result<> begun = model.begin(); !begun) return begun;
  return run_worker_threads(server,
                            [&](ServerContext& thread) { return model.run_thread(thread); });
}

}  // namespace muxbench
