// io_uring in several threads, each with a ring of its own: one more ring accepts for all, and passes
// each connection to the next of them in turn, as a message from ring to ring.
// Syscalls per request: 1/k io_uring_enter (k completions at once); no other, as a send is linked
// to the receive after it.
// Limit: one ring accepts; a connection stays with the ring that it was dealt to, however busy that
// is.
#include <poll.h>

#include <atomic>
#include <semaphore>

#include "event_loop/connection_set.h"
#include "processes/worker_group.h"
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
  const bool links = uring::trial::links(ring);
  const bool silent = uring::trial::skips_success(ring);
  const bool messages = uring::trial::passes_messages(ring, kFlags);
  if (!links) probe.unavailable_because = "this io_uring does not link a receive to a send";
  if (!silent || !messages) {
    probe.unavailable_because =
        "this io_uring passes no messages to another (IORING_OP_MSG_RING, Linux 5.18), or has no "
        "silent success";
  }
  probe.features.insert(
      probe.features.end(),
      {{"linked_receives", links}, {"silent_sends", silent}, {"messages", messages}});
  return probe;
}

}  // namespace

const ModelInfo kModel{
    .name = "uring_msg_ring",
    .family = "completion",
    .mechanism = "io_uring in several threads, connections by IORING_OP_MSG_RING",
    .capabilities = {.workers = true},
    .probe = probe,
    .says_when_ready = true};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  bool receiving = false;
  bool sending = false;
  bool send_is_silent = false;  // its success is told by the receive that is linked to it
  bool closing = false;         // waits for its operations to end before the descriptor is closed
};

// `connection`, `stop` and `room` are messages, too: what a ring completes with that another sent to.
enum class Operation : std::uint8_t { accept = 1, connection, room, stop, message, recv, send };
constexpr int kOperationShift = ConnectionTable<Connection>::kTagShift;

constexpr std::uint64_t user_data(Operation operation, Token token) {
  return token | Token{static_cast<std::uint8_t>(operation)} << kOperationShift;
}
constexpr Operation operation_of(const io_uring_cqe& cqe) {
  return static_cast<Operation>(cqe.user_data >> kOperationShift);
}

// What the rings have in common, besides their messages.
struct Group {
  explicit Group(const ServerContext& server)
      : rings(server.options.workers, -1), most_open(server.options.max_connections) {}

  std::vector<int> rings;  // descriptors of the workers'; -1: it could not be set up
  std::counting_semaphore<> announced{0};  // once for each worker: it is in `rings` now
  int acceptor = -1;
  std::atomic<std::size_t> open = 0;  // connections, those in a message too
  const std::size_t most_open;
};

// In the queue of `from`: a message that completes at the ring `to` with these two numbers. It is
// heard of here only if it fails, with `on_failure`.
void submit_message(uring::Ring& from, int to, int result, std::uint64_t its_user_data,
                    std::uint64_t on_failure) {
  io_uring_sqe* sqe = from.next_sqe();
  ::io_uring_prep_msg_ring(sqe, to, static_cast<unsigned>(result), its_user_data, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = on_failure;
}

// Accepts, in the main thread.
class Acceptor {
 public:
  Acceptor(const ServerContext& server, Group& group)
      : listener_(server.listener), group_(group), throttle_(server.options.max_connections) {
    group_.acceptor = ring_.get()->ring_fd;
  }

  Result<> check() { return ring_.ok() ? Result<>() : uring::cannot_set_up(ring_); }

  void run(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) group_.announced.acquire();
    submit_stop_watch();
    while (!stopping_) {
      if (!accepting_ && throttle_.may_accept(group_.open)) submit_accept();
      ring_.submit_and_wait(throttle_.pause_ms());
      ring_.each_completion([this](const io_uring_cqe& cqe) { on_complete(cqe); });
    }
    // The last that each gets: until then a worker's ring is there.
    for (const int worker : group_.rings) {
      if (worker >= 0) {
        submit_message(ring_, worker, 0, user_data(Operation::stop, 0),
                       user_data(Operation::message, 0));
      }
    }
    while (::io_uring_sq_ready(ring_.get()) != 0) ::io_uring_submit(ring_.get());
  }

 private:
  void submit_accept() {
    io_uring_sqe* sqe = ring_.next_sqe();
    ::io_uring_prep_accept(sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    sqe->user_data = user_data(Operation::accept, 0);
    accepting_ = true;
  }

  void submit_stop_watch() {
    io_uring_sqe* sqe = ring_.next_sqe();
    ::io_uring_prep_poll_add(sqe, stop_signal::descriptor(), POLLIN);
    sqe->user_data = user_data(Operation::stop, 0);
  }

  void on_complete(const io_uring_cqe& cqe) {
    const Operation operation = operation_of(cqe);
    if (operation == Operation::stop) stopping_ = true;
    if (operation == Operation::accept) on_accepted(IoResult::from_res(cqe.res));
    if (operation == Operation::connection) {  // the message could not be sent
      UniqueFd(static_cast<int>(cqe.user_data & ConnectionTable<Connection>::kTokenMask)).reset();
      --group_.open;
    }
  }

  void on_accepted(IoResult accepted) {
    accepting_ = false;
    if (!accepted.ok()) return void(throttle_.on_error(accepted.error()));
    ++group_.open;
    const int worker = group_.rings[turn_++ % group_.rings.size()];
    const auto fd = static_cast<Token>(accepted.fd());
    submit_message(ring_, worker, accepted.fd(), user_data(Operation::connection, 0),
                   user_data(Operation::connection, fd));
  }

  const int listener_;
  Group& group_;
  AcceptThrottle throttle_;
  bool accepting_ = false;
  bool stopping_ = false;
  std::size_t turn_ = 0;
  uring::Ring ring_{kFlags};
};

class UringMsgRing {
 public:
  UringMsgRing(const ServerContext& server, Group& group)
      : server_(server), group_(group), connections_(server) {}

  Result<> run() {
    if (ring_.ok()) group_.rings[server_.worker] = ring_.get()->ring_fd;
    group_.announced.release();
    if (!ring_.ok()) return uring::cannot_set_up(ring_);
    server_.ready();
    while (!connections_.finished()) {
      ring_.submit_and_wait(connections_.timeout_ms());
      ring_.each_completion([this](const io_uring_cqe& cqe) {
        on_complete(operation_of(cqe), cqe.user_data & ConnectionTable<Connection>::kTokenMask,
                    IoResult::from_res(cqe.res));
      });
      connections_.expire([this](Token token) { close(*connections_.find(token)); });
    }
    return {};
  }

 private:
  void submit_recv(Token token, Connection& connection) {
    const std::span<std::byte> lease = connection.session.lease_read();
    if (lease.empty()) return close(connection);  // no memory: this connection is given up
    prepare(Operation::recv, token, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_recv(sqe, connection.fd.get(), lease.data(), lease.size(), 0);
    });
    connection.receiving = true;
  }

  // MSG_WAITALL: the kernel goes on after a short send, so that a linked receive starts only when
  // all is sent.
  void submit_send(Token token, Connection& connection, bool then_receive) {
    constexpr int kSendFlags = MSG_WAITALL | MSG_NOSIGNAL;
    const std::span<const iovec> pieces = connection.session.write_buffers();
    io_uring_sqe* sent = prepare(Operation::send, token, [&](io_uring_sqe* sqe) {
      if (pieces.size() == 1) {
        ::io_uring_prep_send(sqe, connection.fd.get(), pieces[0].iov_base, pieces[0].iov_len,
                             kSendFlags);
        return;
      }
      msghdr& message = headers_[headers_used_++ % headers_.size()] = {};
      message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg does not write to it
      message.msg_iovlen = pieces.size();
      ::io_uring_prep_sendmsg(sqe, connection.fd.get(), &message, kSendFlags);
    });
    connection.sending = true;
    if (then_receive) submit_recv(token, connection);
    if (!then_receive || !connection.receiving) return;
    sent->flags |= IOSQE_IO_LINK;
    // Without this the send's own completion would end the wait, and the receive need another.
    connection.send_is_silent = (ring_.get()->features & IORING_FEAT_CQE_SKIP) != 0;  // Linux 5.17
    if (connection.send_is_silent) sent->flags |= IOSQE_CQE_SKIP_SUCCESS;
  }

  template <typename Fill>
  io_uring_sqe* prepare(Operation operation, Token token, Fill fill) {
    io_uring_sqe* sqe = ring_.next_sqe();
    fill(sqe);
    sqe->user_data = user_data(operation, token);
    return sqe;
  }

  void on_complete(Operation operation, Token token, IoResult result) {
    if (operation == Operation::connection) return on_accepted(UniqueFd(result.fd()));
    if (operation == Operation::stop) return void(connections_.on_accept_error(Errno{EINVAL}));
    if (operation == Operation::message) return;
    Connection* connection = connections_.find(token);
    if (connection == nullptr) return;
    connections_.touch(token);
    if (operation == Operation::recv) {
      on_received(*connection, result);
    } else {
      on_sent(*connection, result);
    }
    proceed(token, *connection);
  }

  void on_accepted(UniqueFd fd) {
    auto [token, connection] = connections_.open(std::move(fd));
    proceed(token, connection);
  }

  void on_received(Connection& connection, IoResult got) {
    connection.receiving = false;
    const bool send_was_cut_short = !got.ok() && got.error() == Errno{ECANCELED};
    if (connection.send_is_silent && !send_was_cut_short) {
      connection.sending = connection.send_is_silent = false;
      std::size_t all = 0;
      for (const iovec& piece : connection.session.write_buffers()) all += piece.iov_len;
      connection.session.on_written(all);
    }
    if (got.ok()) {
      connection.session.on_read(got.count());
    } else {
      connection.session.cancel_read();
      if (!send_was_cut_short && !got.interrupted() && !got.would_block()) close(connection);
    }
  }

  void on_sent(Connection& connection, IoResult sent) {
    connection.sending = false;
    if (std::exchange(connection.send_is_silent, false)) {
      // It is heard of only if it failed or was cut short, and then the receive linked to it has
      // been cancelled as silently.
      connection.receiving = false;
      connection.session.cancel_read();
    }
    if (sent.ok()) {
      connection.session.on_written(sent.count());
    } else if (!sent.interrupted() && !sent.would_block()) {
      close(connection);
    }
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    if (session.wants_half_close() && !connection.closing) {
      ::shutdown(connection.fd.get(), SHUT_WR);
      session.on_half_closed();
    }
    if (session.done()) close(connection);
    if (!connection.closing && !connection.sending) {
      ring_.make_room(2);
      if (session.wants_write()) {
        submit_send(token, connection, session.then_reads() && !connection.receiving);
      } else if (!connection.receiving) {
        submit_recv(token, connection);
      }
    }
    if (connection.closing && !connection.receiving && !connection.sending) forget(token);
  }

  // If that was the last that may be open, the acceptor sleeps until there is room.
  void forget(Token token) {
    connections_.close(token);
    if (group_.open-- != group_.most_open) return;
    submit_message(ring_, group_.acceptor, 0, user_data(Operation::room, 0),
                   user_data(Operation::message, 0));
  }

  // The descriptor may be closed, and its buffers returned, only when the kernel has given up both
  // operations.
  void close(Connection& connection) {
    if (std::exchange(connection.closing, true)) return;
    if (connection.receiving || connection.sending) ::shutdown(connection.fd.get(), SHUT_RDWR);
  }

  const ServerContext& server_;
  Group& group_;
  uring::Ring ring_{kFlags};
  // The kernel copies a header when it is submitted, and the queue holds no more submissions than
  // these: one that is used anew has been copied.
  std::array<msghdr, uring::Ring::kEntries> headers_;
  std::size_t headers_used_ = 0;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) {
  Group group(server);
  Acceptor acceptor(server, group);
  if (Result<> checked = acceptor.check(); !checked) return checked;
  return run_worker_threads(
      server, [&](ServerContext& thread) { return UringMsgRing(thread, group).run(); },
      [&](std::size_t workers) {
        acceptor.run(workers);
        return Result<>();
      });
}

}  // namespace muxbench
