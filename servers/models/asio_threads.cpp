// Boost.Asio, one io_context run by N threads: whichever thread is free takes the next completed
// operation, of any connection.
// Syscalls per request: 2/k epoll_wait (k connections ready at once), 2 recv, 1 send; futex calls
// when threads sleep and wake.
// Limit: the threads share one queue of handlers and one epoll set, and their lock is what they
// wait for first.
#include <list>
#include <mutex>

#include "boost_asio/asio.h"
#include "processes/worker_group.h"
#include "runtime/accept_throttle.h"

namespace muxbench {

const ModelInfo kModel{.name = "asio_threads",
                       .family = "library",
                       .mechanism = "Boost.Asio, callbacks, one io_context on N threads",
                       .capabilities = {.workers = true, .edge_triggered = true},
                       .probe = io::probe};

namespace {

// Its operations follow each other, each started by the handler of the one before: no two threads
// are ever in one connection, and it needs neither lock nor strand. Only what the table's lock
// guards (when it ends, and who looks at it from outside) is shared.
struct Connection {
  Connection(io::Socket accepted, const ServerContext& server)
      : socket(std::move(accepted)),
        descriptor(socket.native_handle()),
        sessions(server.new_session_context()) {}

  io::Socket socket;
  const int descriptor;     // for shutdown(2) by other threads
  SessionContext sessions;  // its own, since a buffer pool is not for several threads
  Session session{sessions};
  std::atomic<Clock::rep> last_active = 0;
  std::list<Connection>::iterator self{};
};

thread_local WorkerCounters* counters_of_this_thread = nullptr;

class AsioThreads {
 public:
  explicit AsioThreads(const ServerContext& server)
      : server_(server),
        context_(static_cast<int>(server.options.workers)),
        acceptor_(context_, server),
        stop_signals_(context_),
        throttle_(server.options.max_connections) {}

  Result<> run() {
    stop_signals_.async_wait([this] { on_stop(); });
    if (server_.options.idle_timeout.count() > 0) watch_silence();
    {
      const std::lock_guard lock(mutex_);
      accept_if_open();
    }
    return run_worker_threads(server_, [this](ServerContext& thread) {
      counters_of_this_thread = &thread.counters();
      context_.run();  // until nothing is pending
      return Result<>();
    });
  }

 private:
  // With the lock held, as everything that touches the acceptor and the list of connections.
  void accept_if_open() {
    if (accepting_ || stopping_) return;
    if (!throttle_.may_accept(connections_.size())) {
      if (throttle_.paused() && !std::exchange(pausing_, true)) pause();
      return;
    }
    accepting_ = true;
    acceptor_.async_accept([this](const io::ErrorCode& error, io::Socket socket) {
      Connection* accepted = nullptr;
      {
        const std::lock_guard lock(mutex_);
        accepting_ = false;
        if (error) {
          throttle_.on_error(io::to_errno(error));
        } else if (!stopping_) {
          accepted = &connections_.emplace_front(std::move(socket), server_);
          accepted->self = connections_.begin();
          count(counters_of_this_thread->accepted);
        }
        accept_if_open();
      }
      if (accepted == nullptr) return;
      touch(*accepted);
      proceed(*accepted);
    });
  }

  void pause() {
    pause_.expires_at(throttle_.pause_ends());
    pause_.async_wait([this](const io::ErrorCode&) {
      const std::lock_guard lock(mutex_);
      pausing_ = false;
      accept_if_open();
    });
  }

  void on_stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    acceptor_.cancel();
    pause_.cancel();
    silence_.cancel();
    for (const Connection& connection : connections_) ::shutdown(connection.descriptor, SHUT_RD);
  }

  // Starts the one operation that this connection needs next.
  void proceed(Connection& connection) {
    Session& session = connection.session;
    // Counted here: the thread that closes the connection may be another than those that answered.
    if (connection.sessions.requests != 0) {
      count(counters_of_this_thread->requests, std::exchange(connection.sessions.requests, 0));
    }
    if (session.wants_half_close()) {
      io::ErrorCode ignored;
      connection.socket.shutdown(io::Socket::shutdown_send, ignored);
      session.on_half_closed();
    }
    if (session.wants_write()) return write(connection);
    const std::span<std::byte> lease = session.lease_read();
    if (session.done()) return close(connection);
    read(connection, lease);
  }

  void read(Connection& connection, std::span<std::byte> lease) {
    connection.socket.async_read_some(
        io::to_buffer(lease), [this, &connection](const io::ErrorCode& error, std::size_t count) {
          touch(connection);
          if (error && error != asio::error::eof) return close(connection);
          connection.session.on_read(count);
          proceed(connection);
        });
  }

  void write(Connection& connection) {
    const auto on_written = [this, &connection](const io::ErrorCode& error, std::size_t count) {
      touch(connection);
      if (error) return close(connection);
      connection.session.on_written(count);
      proceed(connection);
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
  void close(Connection& connection) {
    const std::lock_guard lock(mutex_);
    connections_.erase(connection.self);
    accept_if_open();
  }

  void touch(Connection& connection) noexcept {
    if (server_.options.idle_timeout.count() == 0 || connection.session.mid_request()) return;
    connection.last_active.store(Clock::now().time_since_epoch().count(),
                                 std::memory_order_relaxed);
  }

  // An event only notes the time; who has been silent is looked up eight times in that timeout.
  void watch_silence() {
    silence_.expires_after(server_.options.idle_timeout / 8);
    silence_.async_wait([this](const io::ErrorCode& error) {
      if (error) return;
      const auto limit = (Clock::now() - server_.options.idle_timeout).time_since_epoch().count();
      const std::lock_guard lock(mutex_);
      for (const Connection& connection : connections_) {
        // Ends its operation, and that closes the connection.
        if (connection.last_active.load(std::memory_order_relaxed) <= limit) {
          ::shutdown(connection.descriptor, SHUT_RDWR);
        }
      }
      if (!stopping_) watch_silence();
    });
  }

  const ServerContext& server_;
  asio::io_context context_;
  io::BorrowedAcceptor acceptor_;
  io::StopSignals stop_signals_;
  io::Timer pause_{context_.get_executor()};
  io::Timer silence_{context_.get_executor()};
  std::mutex mutex_;  // guards what follows: taken when a connection begins and ends
  AcceptThrottle throttle_;
  bool accepting_ = false;
  bool pausing_ = false;
  bool stopping_ = false;
  std::list<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return AsioThreads(server).run(); }

}  // namespace muxbench
