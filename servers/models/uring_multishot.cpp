// io_uring, multishot: one armed accept and one armed receive per connection complete again and
// again; received bytes come in buffers that the kernel picks, and sockets have no descriptor.
// Syscalls per request: 2/k io_uring_enter (k completions at once); no other. One wait ends with what
// was received, one with what was sent.
// Limit: a receive cannot be throttled, only cancelled, so what a slow reader sends meanwhile must
// be kept.
#include <poll.h>
#include <sys/resource.h>

#include "event_loop/connection_set.h"
#include "event_loop/parked_bytes.h"
#include "runtime/stop_signal.h"
#include "uring/ring.h"
#include "uring/trial.h"

namespace muxbench {
namespace {

using uring::kRecvSendBundle;
using uring::ProvidedBuffers;
using uring::Ring;

constexpr unsigned kBuffers = 32;
// What a connection may have parked before its receive is cancelled.
constexpr std::size_t kParkedBytes = 4 * BufferPool::kBufferBytes;

// Multishot receive (6.0), direct accept (5.19) and buffer rings (5.19) are older than these flags.
constexpr Ring::Flags kFlags{.required = Ring::kOneThread | IORING_SETUP_SUBMIT_ALL};

// Accepted sockets live in a table of the ring instead of in the process's descriptors; it has the
// size of that limit.
unsigned register_file_table(Ring& ring) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kLargestTable = 1 << 20;  // IORING_MAX_FIXED_FILES
  const auto size = static_cast<unsigned>(std::min(limit.rlim_max, kLargestTable));
  return ::io_uring_register_files_sparse(ring.get(), size) == 0 ? size : 0;
}

Probe probe() {
  Ring ring(kFlags);
  Probe probe = uring::describe_ring(ring);
  if (!ring.ok()) return probe;
  const ProvidedBuffers buffers(ring, kBuffers, BufferPool::kBufferBytes);
  const unsigned files = register_file_table(ring);
  if (!buffers.ok() || files == 0) {
    probe.unavailable_because = "the kernel refuses a provided buffer ring or a file table";
    return probe;
  }
  const uring::trial::Sockets sockets;
  const bool accepts = uring::trial::stays_armed(ring, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_multishot_accept_direct(sqe, sockets.listener(), nullptr, nullptr, 0);
  });
  const bool receives = uring::trial::stays_armed(ring, [&](io_uring_sqe* sqe) {
    ::io_uring_prep_recv_multishot(sqe, sockets.readable(), nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = ProvidedBuffers::kGroup;
  });
  const bool skips = uring::trial::skips_success(ring);
  if (!accepts || !receives || !skips) {
    probe.unavailable_because =
        "this io_uring has no multishot accept, no multishot receive or no silent cancel";
  }
  probe.features.insert(probe.features.end(), {{"multishot_accept", accepts},
                                               {"multishot_recv", receives},
                                               {"silent_cancels", skips},
                                               {"direct_descriptors", std::int64_t{files}},
                                               {"provided_buffers", std::int64_t{kBuffers}},
                                               {"incremental_buffers", buffers.incremental()},
                                               {"bundles", buffers.bundles()}});
  return probe;
}

}  // namespace

const ModelInfo kModel{.name = "uring_multishot",
                       .family = "completion",
                       .mechanism = "io_uring, multishot accept and recv, direct descriptors",
                       .probe = probe};

namespace {

// An index in the ring's table of files.
struct DirectFile {
  int index;
};

struct Connection {
  DirectFile file;
  Session session;
  bool receiving = false;
  bool cancelling = false;
  bool sending = false;
  bool cancelling_send = false;
  bool peer_finished = false;  // to be told to the session after what is parked
  std::uint8_t shutdowns = 0;  // under way
  bool closing = false;        // waits for its operations to end: they use its buffers and its file
  ParkedBytes parked{};        // received while the session had no room
};

enum class Operation : std::uint8_t { accept = 1, stop, recv, send, shutdown, ignored };
constexpr int kOperationShift = ConnectionTable<Connection>::kTagShift;

constexpr std::uint64_t user_data(Operation operation, Token token) {
  return token | Token{static_cast<std::uint8_t>(operation)} << kOperationShift;
}
constexpr Operation operation_of(const io_uring_cqe& cqe) {
  return static_cast<Operation>(cqe.user_data >> kOperationShift);
}
constexpr Token token_of(const io_uring_cqe& cqe) {
  return cqe.user_data & ConnectionTable<Connection>::kTokenMask;
}

class UringMultishot {
 public:
  explicit UringMultishot(const ServerContext& server)
      : listener_(server.listener),
        backlog_(static_cast<std::size_t>(server.options.backlog)),
        most_connections_(std::min<std::size_t>(files_, server.options.max_connections)),
        connections_(server, files_) {}

  Result<> run() {
    if (!ring_.ok()) return uring::cannot_set_up(ring_);
    if (!buffers_.ok() || files_ == 0)
      return make_error("cannot register buffers and files; see --describe");
    submit_stop_watch();
    while (!connections_.finished()) {
      update_accept();
      ring_.submit_and_wait(connections_.timeout_ms());
      ring_.each_completion([this](const io_uring_cqe& cqe) { on_complete(cqe); });
      connections_.expire([this](Token token) { close(token, *connections_.find(token)); });
    }
    return {};
  }

 private:
  template <typename Fill>
  io_uring_sqe* prepare(Operation operation, Token token, Fill fill) {
    io_uring_sqe* sqe = ring_.next_sqe();
    fill(sqe);
    sqe->user_data = user_data(operation, token);
    return sqe;
  }

  // A multishot accept takes whole backlogs at a time, so near the limit it gives way to accepts of
  // one connection each.
  void update_accept() {
    const bool room_for_many = connections_.size() + backlog_ < most_connections_;
    if (!accepting_ && connections_.accepting()) {
      accepting_ = true;
      accepts_many_ = room_for_many;
      prepare(Operation::accept, {}, [&](io_uring_sqe* sqe) {
        ::io_uring_prep_accept(sqe, listener_, nullptr, nullptr, 0);
        sqe->file_index = IORING_FILE_INDEX_ALLOC;
        if (accepts_many_) sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
      });
    } else if (accepting_ && accepts_many_ && !room_for_many) {
      accepts_many_ = false;
      submit_cancel(user_data(Operation::accept, {}));
    }
  }

  void submit_stop_watch() {
    prepare(Operation::stop, {}, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_poll_add(sqe, stop_signal::descriptor(), POLLIN);
    });
  }

  void submit_recv(Token token, Connection& connection) {
    prepare(Operation::recv, token, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_recv_multishot(sqe, connection.file.index, nullptr, 0, 0);
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
      sqe->buf_group = ProvidedBuffers::kGroup;
      if (buffers_.bundles()) sqe->ioprio |= kRecvSendBundle;
    });
    connection.receiving = true;
  }

  // MSG_WAITALL: the kernel goes on after a short send.
  void submit_send(Token token, Connection& connection) {
    const std::span<const iovec> pieces = connection.session.write_buffers();
    prepare(Operation::send, token, [&](io_uring_sqe* sqe) {
      if (pieces.size() == 1) {
        ::io_uring_prep_send(sqe, connection.file.index, pieces[0].iov_base, pieces[0].iov_len,
                             MSG_WAITALL | MSG_NOSIGNAL);
      } else {
        ::io_uring_prep_writev(sqe, connection.file.index, pieces.data(),
                               static_cast<unsigned>(pieces.size()), 0);
      }
      sqe->flags |= IOSQE_FIXED_FILE;
    });
    connection.sending = true;
  }

  void submit_cancel(std::uint64_t target) {
    prepare(Operation::ignored, {}, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_cancel64(sqe, target, 0);
      sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    });
  }

  // Runs in a thread of the kernel, which looks the file up when it gets there: until this has
  // completed, the place in the table must not go to another connection.
  void submit_shutdown(Token token, Connection& connection, int how) {
    prepare(Operation::shutdown, token, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_shutdown(sqe, connection.file.index, how);
      sqe->flags |= IOSQE_FIXED_FILE;
    });
    ++connection.shutdowns;
  }

  void submit_close(DirectFile file) {
    prepare(Operation::ignored, {}, [&](io_uring_sqe* sqe) {
      ::io_uring_prep_close_direct(sqe, static_cast<unsigned>(file.index));
      sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    });
  }

  void on_complete(const io_uring_cqe& cqe) {
    const Operation operation = operation_of(cqe);
    const IoResult result = IoResult::from_res(cqe.res);
    const bool more_will_come = (cqe.flags & IORING_CQE_F_MORE) != 0;
    switch (operation) {
      case Operation::accept:
        accepting_ = more_will_come;
        return on_accepted(result);
      case Operation::stop:
        return on_accept_error(Errno{EINVAL});
      case Operation::ignored:
        return;
      default:
        break;
    }
    const Token token = token_of(cqe);
    Connection* connection = connections_.find(token);
    if (connection != nullptr) connections_.touch(token);
    if (operation == Operation::send) {
      on_sent(*connection, result);
    } else if (operation == Operation::shutdown) {
      --connection->shutdowns;
    } else {
      on_received(connection, result, cqe, more_will_come);
    }
    if (connection != nullptr) proceed(token, *connection);
  }

  void on_accepted(IoResult accepted) {
    if (!accepted.ok()) return on_accept_error(accepted.error());
    const DirectFile file{accepted.fd()};
    if (connections_.stopping()) return submit_close(file);
    auto [token, connection] = connections_.open(file);
    proceed(token, connection);
  }

  void on_accept_error(Errno error) {
    if (error == Errno{ECANCELED}) return;  // by update_accept()
    connections_.on_accept_error(error, [this](Token token, Connection& connection) {
      submit_shutdown(token, connection, SHUT_RD);
    });
  }

  // `connection` is nullptr when it was closed before this receive ended: its buffer comes back all
  // the same. What the session has no room for is parked, not left in its buffer: all connections
  // share those, and a client that never reads would hold them for ever.
  void on_received(Connection* connection, IoResult got, const io_uring_cqe& cqe,
                   bool more_will_come) {
    if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
      buffers_.with_received(cqe, [&](std::span<const std::byte> bytes) {
        if (connection != nullptr && !connection->closing) {
          connection->parked.pass_on(connection->session, bytes);
        }
      });
    }
    if (connection == nullptr) return;
    // Without F_MORE the receive is no longer armed: the peer has finished, there was an error, no
    // buffer was free (ENOBUFS), or completions had overflowed. proceed() arms it again where that
    // makes sense.
    connection->receiving = more_will_come;
    if (!more_will_come) connection->cancelling = false;
    if (got.ok()) {
      if (got.end_of_file()) connection->peer_finished = true;
    } else if (got.error() != Errno{ENOBUFS} && got.error() != Errno{ECANCELED} &&
               !got.interrupted() && !got.would_block()) {
      connection->closing = true;
    }
  }

  void on_sent(Connection& connection, IoResult sent) {
    connection.sending = false;
    if (sent.ok()) connection.session.on_written(sent.count());
    if (!sent.ok() && !sent.interrupted() && !sent.would_block()) connection.closing = true;
  }

  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    connection.parked.unpark(session);
    if (connection.peer_finished && connection.parked.empty()) session.on_read(0);
    if (session.wants_half_close() && !connection.closing) {
      submit_shutdown(token, connection, SHUT_WR);
      session.on_half_closed();
    }
    if (session.done() || connection.closing) return close(token, connection);
    if (session.wants_write() && !connection.sending) submit_send(token, connection);
    if (connection.parked.size() > kParkedBytes) {
      if (connection.receiving && !std::exchange(connection.cancelling, true)) {
        submit_cancel(user_data(Operation::recv, token));
      }
    } else if (!connection.receiving && !connection.peer_finished && connection.parked.empty()) {
      submit_recv(token, connection);
    }
  }

  // An armed receive keeps the socket open, whoever closes it: without the cancel the peer would
  // see no end.
  void close(Token token, Connection& connection) {
    connection.closing = true;
    if (connection.receiving && !std::exchange(connection.cancelling, true)) {
      submit_cancel(user_data(Operation::recv, token));
    }
    if (connection.sending && !std::exchange(connection.cancelling_send, true)) {
      submit_cancel(user_data(Operation::send, token));
    }
    if (connection.sending || connection.shutdowns != 0) return;
    submit_close(connection.file);
    connections_.close(token);
  }

  int listener_;
  bool accepting_ = false;
  bool accepts_many_ = false;
  Ring ring_{kFlags};
  ProvidedBuffers buffers_{ring_, kBuffers, BufferPool::kBufferBytes};
  unsigned files_ = register_file_table(ring_);
  std::size_t backlog_;
  std::size_t most_connections_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return UringMultishot(server).run(); }

}  // namespace muxbench
