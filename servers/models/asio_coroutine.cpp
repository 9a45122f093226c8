// Boost.Asio with C++20 coroutines: a connection is one function that reads, writes and loops, and
// is suspended where it would wait; over epoll, edge-triggered.
// Syscalls per request: 2/k epoll_wait (k connections ready at once), 2 recv, 1 send; as
// asio_callback.cpp says.
// Limit: a coroutine frame per connection beside the callbacks' costs, and 16 KiB for the read that
// an idle one waits in.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>

#include <tuple>

#include "boost_asio/asio.h"
#include "event_loop/connection_set.h"

namespace muxbench {

const ModelInfo kModel{.name = "asio_coroutine",
                       .family = "library",
                       .mechanism = "Boost.Asio, C++20 coroutines, one thread",
                       .capabilities = {.edge_triggered = true},
                       .probe = io::probe};

namespace {

// Sockets and coroutines on Asio's default executor, which is type-erased. On io_context's own type
// Asio (1.81) counts the work of each operation and passes its end through the executor once more:
// it sees that a coroutine's executor is the socket's only where both are type-erased.
using Executor = asio::any_io_executor;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using Awaitable = asio::awaitable<void, Executor>;

struct Connection {
  Socket socket;
  Session session;
};

// Errors come back beside the result instead of as exceptions; deferred, as the operation then
// starts in our coroutine's own frame, where use_awaitable would make one for each.
constexpr auto kReturnError = asio::as_tuple(asio::deferred);

class AsioCoroutine {
 public:
  explicit AsioCoroutine(const ServerContext& server)
      : acceptor_(context_, server), connections_(server) {}

  Result<> run() {
    spawn(accept());
    stop_.async_wait([this] {
      on_accept_error(Errno{EINVAL});
      acceptor_.cancel();
    });
    context_.run();  // until nothing is pending
    return {};
  }

 private:
  void spawn(Awaitable coroutine) {
    asio::co_spawn(executor_, std::move(coroutine), asio::detached);
  }

  Awaitable accept() {
    while (!connections_.stopping()) {
      if (connections_.accepting()) {
        auto [error, socket] = co_await acceptor_.async_accept(executor_, kReturnError);
        if (error) {
          on_accept_error(io::to_errno(error));
        } else if (!connections_.stopping()) {
          spawn(converse(connections_.open(std::move(socket)).token));
          if (!std::exchange(timer_runs_, true)) spawn(update_timer());
        }
      } else {
        io::Timer pause(context_.get_executor(), AcceptThrottle::kPause);
        co_await pause.async_wait(kReturnError);
      }
    }
  }

  void on_accept_error(Errno error) {
    connections_.on_accept_error(error, [](Token, Connection& connection) {
      io::ErrorCode ignored;
      connection.socket.shutdown(Socket::shutdown_receive, ignored);
    });
  }

  Awaitable converse(Token token) {
    Connection& connection = *connections_.find(token);
    Socket& socket = connection.socket;
    Session& session = connection.session;
    while (!session.done()) {
      if (session.wants_write()) {
        const std::span<const iovec> pieces = session.write_buffers();
        io::ErrorCode error;
        std::size_t count = 0;
        if (pieces.size() == 1) {  // send(2) instead of sendmsg(2)
          const asio::const_buffer piece(pieces[0].iov_base, pieces[0].iov_len);
          std::tie(error, count) = co_await socket.async_write_some(piece, kReturnError);
        } else {
          std::tie(error, count) =
              co_await socket.async_write_some(io::Pieces(pieces), kReturnError);
        }
        if (error) break;
        connections_.touch(token);
        session.on_written(count);
      } else if (session.wants_half_close()) {
        io::ErrorCode ignored;
        socket.shutdown(Socket::shutdown_send, ignored);
        session.on_half_closed();
      } else {
        const auto [error, count] =
            co_await socket.async_read_some(io::to_buffer(session.lease_read()), kReturnError);
        if (error && error != asio::error::eof) break;
        connections_.touch(token);
        session.on_read(count);
      }
    }
    connections_.close(token);
    if (connections_.finished()) timer_.cancel();
  }

  // Closes the sockets of connections that were silent too long: their coroutines end then.
  Awaitable update_timer() {
    for (int due; !connections_.finished() && (due = connections_.timeout_ms()) >= 0;) {
      timer_.expires_after(std::chrono::milliseconds(due));
      co_await timer_.async_wait(kReturnError);
      connections_.expire([this](Token token) {
        io::ErrorCode ignored;
        connections_.find(token)->socket.close(ignored);
      });
    }
    timer_runs_ = false;
  }

  asio::io_context context_{io::kOneThread};
  Executor executor_ = context_.get_executor();
  io::BorrowedAcceptor acceptor_;
  io::StopSignals stop_{context_};
  io::Timer timer_{context_.get_executor()};
  bool timer_runs_ = false;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return AsioCoroutine(server).run(); }

}  // namespace muxbench
