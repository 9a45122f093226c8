// io_uring, one-shot operations, awaited in batches: a wait ends when so many have completed, or with
// the first when a short time is over.
// Syscalls per request: 1/k io_uring_enter (k completions at once); no other, as a send is linked
// to the receive after it.
// Limit: an answer may wait for that time, here 100 us, though the server has nothing else to do.
#include <poll.h>
#include <signal.h>

#include "event_loop/connection_set.h"
#include "runtime/stop_signal.h"
#include "uring/ring.h"
#include "uring/trial.h"

namespace muxbench {
namespace {

constexpr uring::Ring::Flags kFlags{.preferred = uring::Ring::kOneThread};

// A request has about one completion. A larger batch saves little: one call for 16 requests is a
// small part of what they cost.
constexpr unsigned kBatch = 16;
constexpr std::chrono::microseconds kMinWait{100};

Probe probe() {
  uring::Ring ring(kFlags);
  Probe probe = uring::describe_ring(ring);
  if (!ring.ok()) return probe;
  const bool links = uring::trial::links(ring);
  const bool min_wait = (ring.get()->features & uring::kFeatMinTimeout) != 0;
  if (!links) probe.unavailable_because = "this io_uring does not link a receive to a send";
  if (!min_wait) {
    probe.unavailable_because =
        "this io_uring has no least time to wait (IORING_FEAT_MIN_TIMEOUT, Linux 6.12)";
  }
  probe.features.insert(probe.features.end(), {{"linked_receives", links},
                                               {"silent_sends", uring::trial::skips_success(ring)},
                                               {"min_wait", min_wait},
                                               {"min_wait_us", std::int64_t{kMinWait.count()}},
                                               {"batch", std::int64_t{kBatch}}});
  return probe;
}

}  // namespace

const ModelInfo kModel{.name = "uring_min_wait",
                       .family = "completion",
                       .mechanism = "io_uring, one-shot operations, waits for batches of them",
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  bool receiving = false;
  bool sending = false;
  bool send_is_silent = false;  // its success is told by the receive that is linked to it
  bool closing = false;         // waits for its operations to end before the descriptor is closed
};

enum class Operation : std::uint8_t { accept = 1, stop, recv, send };
constexpr int kOperationShift = ConnectionTable<Connection>::kTagShift;

class UringMinWait {
 public:
  explicit UringMinWait(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (!ring_.ok()) return uring::cannot_set_up(ring_);
    submit_stop_watch();
    while (!connections_.finished()) {
      if (!accepting_ && connections_.accepting()) submit_accept();
      submit_and_wait_for_batch(connections_.timeout_ms());
      ring_.each_completion([this](const io_uring_cqe& cqe) {
        on_complete(static_cast<Operation>(cqe.user_data >> kOperationShift),
                    cqe.user_data & ConnectionTable<Connection>::kTokenMask,
                    IoResult::from_res(cqe.res));
      });
      connections_.expire([this](Token token) { close(*connections_.find(token)); });
    }
    return {};
  }

 private:
  // Ring::submit_and_wait() with two more numbers, for which liburing has a call since 2.8. A batch is
  // no larger than what can complete; and there is always a limit in the end, since the least time
  // would be that limit otherwise, and an idle server woken 10,000 times a second.
  void submit_and_wait_for_batch(int timeout_ms) noexcept {
    constexpr int kDay = 24 * 60 * 60 * 1000;
    const int limit_ms = timeout_ms < 0 ? kDay : timeout_ms;
    const __kernel_timespec limit{.tv_sec = limit_ms / 1000,
                                  .tv_nsec = limit_ms % 1000 * 1'000'000LL};
    const io_uring_getevents_arg how{
        .sigmask = 0,
        .sigmask_sz = NSIG / 8,
        .pad = static_cast<unsigned>(kMinWait.count()),  // min_wait_usec, since Linux 6.12
        .ts = reinterpret_cast<std::uintptr_t>(&limit)};
    const auto batch = std::clamp<std::size_t>(connections_.size(), 1, kBatch);
    io_uring* const ring = ring_.get();
    ring->sq.sqe_head = ring->sq.sqe_tail;  // shows the kernel what is in the queue
    io_uring_smp_store_release(ring->sq.ktail, ring->sq.sqe_tail);
    const unsigned registered = ring_.fd_registered() ? IORING_ENTER_REGISTERED_RING : 0;
    ::io_uring_enter2(
        static_cast<unsigned>(ring->enter_ring_fd), ::io_uring_sq_ready(ring),
        static_cast<unsigned>(batch), IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | registered,
        reinterpret_cast<sigset_t*>(const_cast<io_uring_getevents_arg*>(&how)), sizeof how);
  }

  void submit_accept() {
    prepare(Operation::accept, {}, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_accept(sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    });
    accepting_ = true;
  }

  void submit_stop_watch() {
    prepare(Operation::stop, {}, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_poll_add(sqe, stop_signal::descriptor(), POLLIN);
    });
  }

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
    sqe->user_data = token | Token{static_cast<std::uint8_t>(operation)} << kOperationShift;
    return sqe;
  }

  void on_complete(Operation operation, Token token, IoResult result) {
    if (operation == Operation::accept) return on_accepted(result);
    if (operation == Operation::stop) return void(connections_.on_accept_error(Errno{EINVAL}));
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

  void on_accepted(IoResult accepted) {
    accepting_ = false;
    if (!accepted.ok()) return void(connections_.on_accept_error(accepted.error()));
    UniqueFd fd(accepted.fd());
    if (connections_.stopping()) return;
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
    if (connection.closing && !connection.receiving && !connection.sending)
      connections_.close(token);
  }

  // The descriptor may be closed, and its buffers returned, only when the kernel has given up both
  // operations.
  void close(Connection& connection) {
    if (std::exchange(connection.closing, true)) return;
    if (connection.receiving || connection.sending) ::shutdown(connection.fd.get(), SHUT_RDWR);
  }

  int listener_;
  bool accepting_ = false;
  uring::Ring ring_{kFlags};
  // The kernel copies a header when it is submitted, and the queue holds no more submissions than
  // these: one that is used anew has been copied.
  std::array<msghdr, uring::Ring::kEntries> headers_;
  std::size_t headers_used_ = 0;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return UringMinWait(server).run(); }

}  // namespace muxbench
