// Boost.Asio with stackful coroutines: a connection is one plain function that reads, writes and loops,
// with a stack of its own that is left where it would wait; over epoll, edge-triggered.
// Syscalls per request: 2/k epoll_wait (k connections ready at once), 2 recv, 1 send; as
// asio_callback.cpp says.
// Limit: a stack per connection beside the callbacks' costs, and 16 KiB for the read that an idle one
// waits in.
#define BOOST_ASIO_DISABLE_BOOST_COROUTINE  // the old library; Boost.Context is what is used here
#include <boost/asio/detached.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include "boost_asio/asio.h"
#include "event_loop/connection_set.h"

namespace muxbench {

const ModelInfo kModel{.name = "asio_stackful",
                       .family = "library",
                       .mechanism = "Boost.Asio, stackful coroutines (Boost.Context), one thread",
                       .capabilities = {.edge_triggered = true},
                       .probe = io::probe};

namespace {

using Yield = asio::basic_yield_context<io::Executor>;

struct Connection {
  io::Socket socket;
  Session session;
};

class AsioStackful {
 public:
  explicit AsioStackful(const ServerContext& server)
      : acceptor_(context_, server), connections_(server) {}

  Result<> run() {
    spawn([this](Yield yield) { accept(yield); });
    stop_.async_wait([this] {
      on_accept_error(Errno{EINVAL});
      acceptor_.cancel();
    });
    context_.run();  // until nothing is pending
    return {};
  }

 private:
  static constexpr std::size_t kStackBytes = 64 * 1024;

  template <typename Function>
  void spawn(Function function) {
    asio::spawn(context_.get_executor(), std::allocator_arg,
                boost::context::fixedsize_stack(kStackBytes), std::move(function), asio::detached);
  }

  // In all of these an error comes back in a variable, where `yield` alone would throw it.
  void accept(Yield yield) {
    while (!connections_.stopping()) {
      io::ErrorCode error;
      if (connections_.accepting()) {
        io::Socket socket = acceptor_.async_accept(yield[error]);
        if (error) {
          on_accept_error(io::to_errno(error));
        } else if (!connections_.stopping()) {
          const Token token = connections_.open(std::move(socket)).token;
          spawn([this, token](Yield its_yield) { converse(token, its_yield); });
          if (!std::exchange(timer_runs_, true)) {
            spawn([this](Yield its_yield) { update_timer(its_yield); });
          }
        }
      } else {
        io::Timer pause(context_.get_executor(), AcceptThrottle::kPause);
        pause.async_wait(yield[error]);
      }
    }
  }

  void on_accept_error(Errno error) {
    connections_.on_accept_error(error, [](Token, Connection& connection) {
      io::ErrorCode ignored;
      connection.socket.shutdown(io::Socket::shutdown_receive, ignored);
    });
  }

  void converse(Token token, Yield yield) {
    Connection& connection = *connections_.find(token);
    io::Socket& socket = connection.socket;
    Session& session = connection.session;
    io::ErrorCode error;
    while (!session.done()) {
      if (session.wants_write()) {
        const std::span<const iovec> pieces = session.write_buffers();
        std::size_t count = 0;
        if (pieces.size() == 1) {  // send(2) instead of sendmsg(2)
          const asio::const_buffer piece(pieces[0].iov_base, pieces[0].iov_len);
          count = socket.async_write_some(piece, yield[error]);
        } else {
          count = socket.async_write_some(io::Pieces(pieces), yield[error]);
        }
        if (error) break;
        connections_.touch(token);
        session.on_written(count);
      } else if (session.wants_half_close()) {
        socket.shutdown(io::Socket::shutdown_send, error);
        session.on_half_closed();
      } else {
        const std::size_t count =
            socket.async_read_some(io::to_buffer(session.lease_read()), yield[error]);
        if (error && error != asio::error::eof) break;
        connections_.touch(token);
        session.on_read(count);
      }
    }
    connections_.close(token);
    if (connections_.finished()) timer_.cancel();
  }

  // Closes the sockets of connections that were silent too long: their coroutines end then.
  void update_timer(Yield yield) {
    for (int due; !connections_.finished() && (due = connections_.timeout_ms()) >= 0;) {
      timer_.expires_after(std::chrono::milliseconds(due));
      io::ErrorCode ignored;
      timer_.async_wait(yield[ignored]);
      connections_.expire([this](Token token) {
        io::ErrorCode closed;
        connections_.find(token)->socket.close(closed);
      });
    }
    timer_runs_ = false;
  }

  asio::io_context context_{io::kOneThread};
  io::BorrowedAcceptor acceptor_;
  io::StopSignals stop_{context_};
  io::Timer timer_{context_.get_executor()};
  bool timer_runs_ = false;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return AsioStackful(server).run(); }

}  // namespace muxbench
