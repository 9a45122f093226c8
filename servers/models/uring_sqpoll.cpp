// io_uring with a kernel thread that takes submissions from shared memory (SQPOLL), while we poll
// the completions there.
// Syscalls per request: 0-1/k io_uring_enter (k completions at once); none under load; when it goes
// quiet one that wakes the thread and waits.
// Limit: two threads burn CPU to save system calls, and need a CPU each; an idle connection parks
// 16 KiB in the kernel.
#include <poll.h>
#include <sched.h>

#include "event_loop/connection_set.h"
#include "runtime/stop_signal.h"
#include "uring/ring.h"
#include "uring/trial.h"

namespace muxbench {
namespace {

using uring::Ring;

// The thread would run on any CPU, whatever this process is confined to: it is given the last of
// the CPUs that we may use. Where there is only one it must go to sleep soon, and we never spin.
struct Cpus {
  int count;
  unsigned last;

  Cpus() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    count = CPU_COUNT(&allowed);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &allowed)) last = cpu;
    }
  }
  std::chrono::milliseconds thread_idle() const {
    return std::chrono::milliseconds(count > 1 ? 20 : 1);
  }
  Nanoseconds spin() const { return std::chrono::microseconds(count > 1 ? 50 : 0); }
};

Ring::Flags flags(const Cpus& cpus) {
  return {.required = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF,
          .preferred = IORING_SETUP_SINGLE_ISSUER,
          .sq_thread_cpu = cpus.last,
          .sq_thread_idle = cpus.thread_idle()};
}

Probe probe() {
  const Cpus cpus;
  Ring ring(flags(cpus));
  Probe probe = uring::describe_ring(ring);
  if (!ring.ok()) return probe;
  // The kernel's thread may do all that follows without a call. The model needs it when it is quiet.
  if (::io_uring_enter(ring.get()->ring_fd, 0, 0, 0, nullptr) < 0) {
    probe.unavailable_because = "this kernel or a seccomp filter refuses io_uring_enter";
    return probe;
  }
  const bool links = uring::trial::links(ring);
  if (!links) probe.unavailable_because = "this io_uring does not link a receive to a send";
  probe.features.insert(probe.features.end(),
                        {{"linked_receives", links},
                         {"silent_sends", uring::trial::skips_success(ring)},
                         {"sq_thread_cpu", std::int64_t{cpus.last}},
                         {"sq_thread_idle_ms", std::int64_t{cpus.thread_idle().count()}},
                         {"sq_thread_has_own_cpu", cpus.count > 1}});
  return probe;
}

}  // namespace

const ModelInfo kModel{.name = "uring_sqpoll",
                       .family = "completion",
                       .mechanism = "io_uring, submission thread in the kernel (SQPOLL)",
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

class UringSqpoll {
 public:
  explicit UringSqpoll(const ServerContext& server)
      : listener_(server.listener), connections_(server) {}

  Result<> run() {
    if (!ring_.ok()) return uring::cannot_set_up(ring_);
    submit_stop_watch();
    while (!connections_.finished()) {
      if (!accepting_ && connections_.accepting()) submit_accept();
      wait();
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
  // Shows the kernel's thread what was prepared, then looks for completions for a while before it
  // sleeps itself. If the thread sleeps, the one system call that wakes it waits, too.
  void wait() {
    if (ring_.thread_sleeps()) return ring_.submit_and_wait(connections_.timeout_ms());
    ::io_uring_submit(ring_.get());
    const auto patience = Clock::now() + cpus_.spin();
    while (::io_uring_cq_ready(ring_.get()) == 0) {
      if (Clock::now() >= patience) return ring_.submit_and_wait(connections_.timeout_ms());
    }
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

  // One piece at a time: a message header for several would have to live until the kernel's thread
  // has read it. MSG_WAITALL: the kernel goes on after a short send, so that a linked receive starts
  // only when all is sent.
  void submit_send(Token token, Connection& connection, bool then_receive) {
    const std::span<const iovec> pieces = connection.session.write_buffers();
    io_uring_sqe* sent = prepare(Operation::send, token, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_send(sqe, connection.fd.get(), pieces[0].iov_base, pieces[0].iov_len,
                           MSG_WAITALL | MSG_NOSIGNAL | (pieces.size() > 1 ? MSG_MORE : 0));
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
      connection.session.on_written(connection.session.write_buffers()[0].iov_len);
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
        const bool last_piece = session.write_buffers().size() == 1;
        submit_send(token, connection, last_piece && session.then_reads() && !connection.receiving);
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
  Cpus cpus_;
  Ring ring_{flags(cpus_)};
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return UringSqpoll(server).run(); }

}  // namespace muxbench
