// io_uring, one-shot operations: recv and send are submitted instead of called, and their
// completions are collected. Syscalls per request: 1/k io_uring_enter (k completions at once) and
// no other: a send is linked to the receive after it. Limit: a receive must be given its buffer in
// advance, so every idle connection parks 16 KiB in the kernel.
#include <liburing.h>

#include "common/worker.h"
#include "net/io_result.h"

namespace muxbench {
namespace {

// Completions are handled by our own thread, when it asks for them (Linux 6.1); older kernels do
// without.
constexpr unsigned kBestFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
constexpr unsigned kEntries = 1024;

struct Ring : io_uring {
  Ring() : io_uring{} {
    io_uring_params parameters{.flags = kBestFlags};
    status = ::io_uring_queue_init_params(kEntries, this, &parameters);
    if (status == -EINVAL) {
      parameters = {};
      status = ::io_uring_queue_init_params(kEntries, this, &parameters);
    }
    deferred = (parameters.flags & IORING_SETUP_DEFER_TASKRUN) != 0;
    if (status == 0) registered = ::io_uring_register_ring_fd(this) == 1;
  }
  ~Ring() {
    if (status == 0) ::io_uring_queue_exit(this);
  }
  Ring(const Ring&) = delete;

  int status;
  bool deferred = false;
  bool registered = false;
};

Probe probe() {
  const Ring ring;
  if (ring.status != 0) {
    return {.unavailable_because =
                fmt::format("io_uring_setup fails with {}; it may be disabled by the sysctl "
                            "kernel.io_uring_disabled or by a seccomp filter",
                            describe(static_cast<Errno>(-ring.status)))};
  }
  return {.features = {{"defer_taskrun", ring.deferred}, {"registered_ring_fd", ring.registered}}};
}

}  // namespace

const ModelInfo kModel{.name = "uring_completion",
                       .family = "completion",
                       .mechanism = "io_uring, one-shot accept, recv and send",
                       .probe = probe};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  bool receiving = false;
  bool sending = false;
  bool closing = false;  // waits for its operations to end before the descriptor is closed
};

enum class Operation : std::uint8_t { accept = 1, listener_hangup, recv, send };
constexpr int kOperationShift = ConnectionTable<Connection>::kTagShift;

class UringCompletion {
 public:
  explicit UringCompletion(const ServerContext& server)
      : listener_(server.listener), worker_(server) {}

  Result<> run() {
    if (ring_.status != 0) {
      return fail("cannot set up io_uring: {}", describe(static_cast<Errno>(-ring_.status)));
    }
    submit_listener_hangup();
    while (!worker_.finished()) {
      if (!accepting_ && worker_.accepting()) submit_accept();
      wait();
      unsigned head;
      unsigned seen = 0;
      io_uring_cqe* cqe;
      io_uring_for_each_cqe(&ring_, head, cqe) {
        ++seen;
        on_complete(static_cast<Operation>(cqe->user_data >> kOperationShift), cqe->user_data,
                    IoResult::from_res(cqe->res));
      }
      ::io_uring_cq_advance(&ring_, seen);
      worker_.expire([this](Token token) { close(token, *worker_.find(token)); });
    }
    return {};
  }

 private:
  // Submits what was prepared and waits for a completion, in one system call.
  void wait() {
    const int timeout = worker_.timeout_ms();
    if (timeout < 0) {
      ::io_uring_submit_and_wait(&ring_, 1);
    } else {
      __kernel_timespec limit{.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1'000'000LL};
      io_uring_cqe* first;
      ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
    }
    messages_used_ = 0;  // the kernel has copied the headers that it was given
  }

  // Makes room for submissions that must reach the kernel together.
  void make_room(unsigned count) {
    if (::io_uring_sq_space_left(&ring_) >= count) return;
    ::io_uring_submit(&ring_);
    messages_used_ = 0;
  }

  void submit_accept() {
    make_room(1);
    prepare(Operation::accept, {}, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_accept(sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    });
    accepting_ = true;
  }

  // Completes when the stop signal shuts the listener down, whether an accept is pending or not.
  void submit_listener_hangup() {
    prepare(Operation::listener_hangup, {},
            [&](io_uring_sqe* sqe) { ::io_uring_prep_poll_add(sqe, listener_, 0); });
  }

  void submit_recv(Token token, Connection& connection) {
    const std::span<std::byte> lease = connection.session.lease_read();
    if (lease.empty()) return close(token, connection);  // no memory: this connection is given up
    prepare(Operation::recv, token, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_recv(sqe, connection.fd.get(), lease.data(), lease.size(), 0);
    });
    connection.receiving = true;
  }

  // MSG_WAITALL: the kernel goes on after a short send, so that a linked receive starts only when
  // all is sent.
  void submit_send(Token token, Connection& connection, bool then_receive) {
    constexpr int kFlags = MSG_WAITALL | MSG_NOSIGNAL;
    const std::span<const iovec> pieces = connection.session.write_buffers();
    io_uring_sqe* sent = prepare(Operation::send, token, [&](io_uring_sqe* sqe) {
      if (pieces.size() == 1) {
        ::io_uring_prep_send(sqe, connection.fd.get(), pieces[0].iov_base, pieces[0].iov_len,
                             kFlags);
        return;
      }
      msghdr& message = messages_[messages_used_++] = {};
      message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg does not write to it
      message.msg_iovlen = pieces.size();
      ::io_uring_prep_sendmsg(sqe, connection.fd.get(), &message, kFlags);
    });
    connection.sending = true;
    if (!then_receive) return;
    sent->flags |= IOSQE_IO_LINK;
    submit_recv(token, connection);
  }

  template <typename Fill>
  io_uring_sqe* prepare(Operation operation, Token token, Fill fill) {
    io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
    fill(sqe);
    sqe->user_data = token | Token{static_cast<std::uint8_t>(operation)} << kOperationShift;
    return sqe;
  }

  void on_complete(Operation operation, Token token, IoResult result) {
    if (operation == Operation::accept) return on_accepted(result);
    if (operation == Operation::listener_hangup)
      return void(worker_.on_accept_error(Errno{EINVAL}));
    Connection* connection = worker_.find(token);
    if (connection == nullptr) return;
    worker_.touch(token);
    if (operation == Operation::recv) {
      on_received(token, *connection, result);
    } else {
      on_sent(token, *connection, result);
    }
  }

  void on_accepted(IoResult accepted) {
    accepting_ = false;
    if (!accepted.ok()) return void(worker_.on_accept_error(accepted.error()));
    const Token token = worker_.open(accepted.fd());
    proceed(token, *worker_.find(token));
  }

  void on_received(Token token, Connection& connection, IoResult got) {
    connection.receiving = false;
    if (got.ok()) {
      connection.session.on_read(got.count());
    } else {
      connection.session.drop_lease();
      const bool send_was_cut_short = got.error() == Errno{ECANCELED};
      if (!send_was_cut_short && !got.interrupted() && !got.would_block()) close(token, connection);
    }
    proceed(token, connection);
  }

  void on_sent(Token token, Connection& connection, IoResult sent) {
    connection.sending = false;
    if (sent.ok()) {
      connection.session.on_written(sent.count());
    } else if (!sent.interrupted() && !sent.would_block()) {
      close(token, connection);
    }
    proceed(token, connection);
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    if (session.wants_half_close() && !connection.closing) {
      ::shutdown(connection.fd.get(), SHUT_WR);
      session.on_half_closed();
    }
    if (session.done()) close(token, connection);
    if (connection.closing) {
      if (!connection.receiving && !connection.sending) worker_.close(token);
    } else if (session.wants_write() && !connection.sending) {
      make_room(2);
      submit_send(token, connection, session.then_reads() && !connection.receiving);
    } else if (!connection.sending && !connection.receiving) {
      make_room(1);
      submit_recv(token, connection);
    }
  }

  // The descriptor may be closed, and its buffers returned, only when the kernel has given up both
  // operations.
  void close(Token, Connection& connection) {
    if (connection.closing) return;
    connection.closing = true;
    if (connection.receiving || connection.sending) ::shutdown(connection.fd.get(), SHUT_RDWR);
  }

  int listener_;
  bool accepting_ = false;
  Ring ring_;
  std::array<msghdr, kEntries> messages_;
  std::size_t messages_used_ = 0;
  Worker<Connection> worker_;
};

}  // namespace

Result<> serve(ServerContext& server) { return UringCompletion(server).run(); }

}  // namespace muxbench
