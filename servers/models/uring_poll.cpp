// io_uring as a readiness notifier: a multishot poll per connection says when bytes have come, and
// they are read and written with the ordinary calls.
// Syscalls per request: 1/k io_uring_enter (k connections ready at once), 1 recv, 1 send.
// Limit: a multishot poll tells of changes only, as edge-triggered epoll does: what is not read to
// the end is not told again.
#include <poll.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"
#include "uring/ring.h"
#include "uring/trial.h"

namespace muxbench {
namespace {

constexpr uring::Ring::Flags kFlags{.preferred = uring::Ring::kOneThread};

Probe probe() {
  uring::Ring ring(kFlags);
  Probe probe = uring::describe_ring(ring);
  if (!ring.ok()) return probe;
  const uring::trial::Sockets sockets;
  const bool polls = uring::trial::polls_many_times(ring, sockets);
  const bool skips = uring::trial::skips_success(ring);
  if (!polls || !skips) {
    probe.unavailable_because = "this io_uring has no multishot poll or no silent cancel";
  }
  probe.features.insert(probe.features.end(),
                        {{"multishot_poll", polls}, {"silent_cancels", skips}});
  return probe;
}

}  // namespace

const ModelInfo kModel{.name = "uring_poll",
                       .family = "readiness",
                       .mechanism = "io_uring, multishot poll; recv and send as system calls",
                       .capabilities = {.edge_triggered = true},
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  bool readable = false;  // there may be more to read; nobody will say so again
  // A short read is not the end: the end of file is still to be read, or urgent data, which cuts a
  // read short where it begins.
  bool read_until_empty = false;
  bool awaits_space = false;  // a send got stuck, and a second poll waits for POLLOUT
};

enum class Operation : std::uint8_t { listener, stop, input, space, again, ignored };
constexpr int kOperationShift = ConnectionTable<Connection>::kTagShift;

constexpr std::uint64_t user_data(Operation operation, Token token) {
  return token | Token{static_cast<std::uint8_t>(operation)} << kOperationShift;
}

class UringPoll {
 public:
  explicit UringPoll(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (!ring_.ok()) return uring::cannot_set_up(ring_);
    set_nonblocking(listener_, true);
    submit_poll(Operation::stop, {}, stop_signal::descriptor(), POLLIN);
    while (!connections_.finished()) {
      if (!listening_ && connections_.accepting()) {
        listening_ = true;
        submit_poll(Operation::listener, {}, listener_, POLLIN);
      }
      ring_.submit_and_wait(connections_.timeout_ms());
      ring_.each_completion([this](const io_uring_cqe& cqe) { on_complete(cqe); });
      connections_.expire([this](Token token) { close(token, *connections_.find(token)); });
    }
    return {};
  }

 private:
  // A read-and-answer loop gives way to the other connections after so many reads.
  static constexpr int kReadsPerTurn = 16;
  static constexpr unsigned kInput = POLLIN | POLLPRI | POLLRDBAND | POLLRDHUP;

  io_uring_sqe* submit_poll(Operation operation, Token token, int fd, unsigned events) {
    io_uring_sqe* sqe = ring_.next_sqe();
    ::io_uring_prep_poll_add(sqe, fd, events);
    sqe->user_data = user_data(operation, token);
    return sqe;
  }

  void submit_input_poll(Token token, Connection& connection) {
    submit_poll(Operation::input, token, connection.fd.get(), kInput)->len |= IORING_POLL_ADD_MULTI;
  }

  // Without a look at the socket, io_uring hands on what the socket's wake-up says, and that names
  // POLLPRI and POLLRDBAND together whatever has arrived. Urgent data wakes it twice, so the kernel
  // looks, and then POLLPRI comes alone.
  static bool has_urgent_data(int events) noexcept {
    return (events & (POLLPRI | POLLRDBAND)) == POLLPRI;
  }

  void on_complete(const io_uring_cqe& cqe) {
    const auto operation = static_cast<Operation>(cqe.user_data >> kOperationShift);
    const Token token = cqe.user_data & ConnectionTable<Connection>::kTokenMask;
    switch (operation) {
      case Operation::listener:
        listening_ = false;
        return connections_.stopping() ? void() : on_listener_ready();
      case Operation::stop:
        return void(connections_.on_accept_error(Errno{EINVAL}));
      case Operation::ignored:
        return;
      default:
        break;
    }
    Connection* connection = connections_.find(token);
    if (connection == nullptr) return;                  // closed before its poll was cancelled
    if (cqe.res < 0) return close(token, *connection);  // not watched any more: no memory
    if (operation == Operation::space) {
      connection->awaits_space = false;
    } else {
      connection->readable = true;
    }
    const bool hung_up = (cqe.res & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    if (hung_up || has_urgent_data(cqe.res)) connection->read_until_empty = true;
    // Without F_MORE (completions had overflowed) nothing is armed any more.
    const bool disarmed = operation == Operation::input && (cqe.flags & IORING_CQE_F_MORE) == 0;
    if (disarmed) submit_input_poll(token, *connection);
    on_ready(token, *connection);
  }

  void on_listener_ready() {
    accept_burst(listener_, connections_, [this](Token token, Connection& connection) {
      submit_input_poll(token, connection);
      if (connection.session.wants_write()) on_ready(token, connection);
    });
  }

  void on_ready(Token token, Connection& connection) {
    Session& session = connection.session;
    connections_.touch(token);
    const int fd = connection.fd.get();
    for (int reads = 0;; ++reads) {
      if (!send_pending(fd, session)) return close(token, connection);
      if (session.wants_write()) {
        if (!std::exchange(connection.awaits_space, true)) {
          submit_poll(Operation::space, token, fd, POLLOUT);
        }
        return;
      }
      if (!connection.readable) return;
      if (reads == kReadsPerTurn) return submit_again(token);

      const Received received = recv_once(fd, session);
      if (received == Received::failed) return close(token, connection);
      // A short read has emptied the socket; what comes later completes the poll again.
      if (received == Received::all || received == Received::end) {
        connection.readable = connection.read_until_empty;
      }
      if (received == Received::nothing) connection.readable = false;
    }
  }

  // A no-op completes in the next round: that is this connection's next turn.
  void submit_again(Token token) {
    io_uring_sqe* sqe = ring_.next_sqe();
    ::io_uring_prep_nop(sqe);
    sqe->user_data = user_data(Operation::again, token);
  }

  // A poll holds the socket open: the peer sees the end when the polls are cancelled, with the next
  // wait.
  void close(Token token, Connection& connection) {
    submit_cancel(user_data(Operation::input, token));
    if (connection.awaits_space) submit_cancel(user_data(Operation::space, token));
    connections_.close(token);
  }

  // Not IORING_OP_POLL_REMOVE: that fails with EALREADY while an event is on its way, and the socket
  // would stay open.
  void submit_cancel(std::uint64_t target) {
    io_uring_sqe* sqe = ring_.next_sqe();
    ::io_uring_prep_cancel64(sqe, target, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = user_data(Operation::ignored, {});
  }

  int listener_;
  bool listening_ = false;
  uring::Ring ring_{kFlags};
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return UringPoll(server).run(); }

}  // namespace muxbench
