// Boost.Asio with callbacks, as in asio_callback.cpp, over its io_uring backend instead of epoll:
// each operation becomes a submission.
// Syscalls per request: 3/k io_uring_enter (k connections ready at once); Asio submits what has
// gathered in a turn of its loop, and then looks for completions.
// Limit: a backend for portability rather than speed: it drains completions in small lots, and does
// not use what newer rings offer.
#define BOOST_ASIO_HAS_IO_URING
#define BOOST_ASIO_DISABLE_EPOLL

#include "boost_asio/asio.h"
#include "event_loop/connection_set.h"
#include "uring/ring.h"

namespace muxbench {

namespace {

Probe probe() {
  const uring::Ring ring({});  // plain, as Asio sets up its own
  return ring.ok() ? io::probe() : uring::describe_ring(ring);
}

}  // namespace

const ModelInfo kModel{.name = "asio_uring",
                       .family = "library",
                       .mechanism = "Boost.Asio, callbacks, io_uring backend",
                       .probe = probe};

namespace {

struct Connection {
  io::Socket socket;
  Session session;
};

class AsioUring {
 public:
  explicit AsioUring(const ServerContext& server)
      : acceptor_(context_, server), connections_(server) {}

  Result<> run() {
    stop_.async_wait([this] {
      on_accept_error(Errno{EINVAL});
      acceptor_.cancel();
      update_timer();
    });
    update_timer();
    context_.run();  // until nothing is pending
    return {};
  }

 private:
  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](const io::ErrorCode& error, io::Socket socket) {
      accepting_ = false;
      if (error) {
        on_accept_error(io::to_errno(error));
      } else if (!connections_.stopping()) {
        proceed(connections_.open(std::move(socket)).token);
      }
      update_timer();
    });
  }

  void on_accept_error(Errno error) {
    connections_.on_accept_error(error, [](Token, Connection& connection) {
      io::ErrorCode ignored;
      connection.socket.shutdown(io::Socket::shutdown_receive, ignored);
    });
  }

  // Starts the one operation that this connection needs next.
  void proceed(Token token) {
    Connection& connection = *connections_.find(token);
    Session& session = connection.session;
    if (session.wants_half_close()) {
      io::ErrorCode ignored;
      connection.socket.shutdown(io::Socket::shutdown_send, ignored);
      session.on_half_closed();
    }
    if (session.wants_write()) return write(token, connection);
    const std::span<std::byte> lease = session.lease_read();
    if (session.done()) return close(token);
    read(token, connection, lease);
  }

  void read(Token token, Connection& connection, std::span<std::byte> lease) {
    connection.socket.async_read_some(io::to_buffer(lease),
                                      [this, token](const io::ErrorCode& error, std::size_t count) {
                                        connections_.touch(token);
                                        if (error && error != asio::error::eof) return close(token);
                                        connections_.find(token)->session.on_read(count);
                                        proceed(token);
                                      });
  }

  void write(Token token, Connection& connection) {
    const auto on_written = [this, token](const io::ErrorCode& error, std::size_t count) {
      connections_.touch(token);
      if (error) return close(token);
      connections_.find(token)->session.on_written(count);
      proceed(token);
    };
    const std::span<const iovec> pieces = connection.session.write_buffers();
    if (pieces.size() == 1) {  // send(2) instead of sendmsg(2)
      connection.socket.async_write_some(asio::buffer(pieces[0].iov_base, pieces[0].iov_len),
                                         on_written);
    } else {
      connection.socket.async_write_some(io::Pieces(pieces), on_written);
    }
  }

  // Only by the connection's own handler: then no operation is pending that uses its buffers.
  void close(Token token) {
    connections_.close(token);
    update_timer();
  }

  // Accepts when it may, and keeps one timer for everything that is due at some time.
  void update_timer() {
    if (!accepting_ && connections_.accepting()) accept();
    if (connections_.finished()) return void(timer_.cancel());
    if (timer_runs_ && connections_.accepting()) return;
    const int due = connections_.timeout_ms();
    if (due < 0) return;
    timer_runs_ = true;
    timer_.expires_after(std::chrono::milliseconds(due));
    timer_.async_wait([this](const io::ErrorCode& error) {
      if (error) return;  // it was set anew
      timer_runs_ = false;
      // A socket that is shut down ends its operation, and that closes the connection.
      connections_.expire([this](Token token) {
        io::ErrorCode ignored;
        connections_.find(token)->socket.close(ignored);
      });
      update_timer();
    });
  }

  asio::io_context context_{io::kOneThread};
  io::BorrowedAcceptor acceptor_;
  io::StopSignals stop_{context_};
  io::Timer timer_{context_.get_executor()};
  bool accepting_ = false;
  bool timer_runs_ = false;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return AsioUring(server).run(); }

}  // namespace muxbench
