// POSIX AIO: aio_read and aio_write with a queued signal when each has ended; in glibc, threads of
// the library that make the blocking calls.
// Syscalls per request: 1 pread64, 1 pwrite64 (both refused by the socket: ESPIPE), 1 read, 1
// write, 2 getpid, 2 getuid, 2 rt_sigqueueinfo, 2/k poll, 2/k read (of the signals), any futex.
// Limit: a read that waits keeps a thread, so it is a thread per connection by a longer way.
#include <aio.h>
#include <gnu/libc-version.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "event_loop/nonblocking_calls.h"
#include "net/socket.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// glibc makes no more threads than this (20 by default, which as many silent clients would hold for
// ever). More connections are not accepted.
constexpr int kMostThreads = 4096;

// Where glibc cannot queue the signal it calls the operation failed (EAGAIN), although the bytes were
// read. So no more connections than signals that may be pending; other processes need some too.
std::size_t most_connections() {
  rlimit limit{};
  ::getrlimit(RLIMIT_SIGPENDING, &limit);
  return std::clamp<rlim_t>(limit.rlim_cur / 2, 1, kMostThreads);
}

}  // namespace

const ModelInfo kModel{
    .name = "posix_aio",
    .family = "completion",
    .mechanism = "aio_read and aio_write with SIGEV_SIGNAL, by threads of glibc",
    .capabilities = {.max_connections = kMostThreads, .signal_per_connection = true},
    .probe = [] {
      return Probe{.features = {{"implementation", fmt::format("threads in user space (glibc {})",
                                                               ::gnu_get_libc_version())},
                                {"most_threads", std::int64_t{kMostThreads}}}};
    }};

namespace {

struct Connection {
  UniqueFd fd;
  Session session;
  aiocb request{};  // the one that is under way: glibc works off one per descriptor anyway
};

class PosixAio {
 public:
  explicit PosixAio(const ServerContext& server)
      : listener_(server.listener), connections_(server, most_connections()) {}

  Result<> run() {
    const aioinit limits{.aio_threads = kMostThreads, .aio_num = kMostThreads, .aio_idle_time = 1};
    ::aio_init(&limits);
    sigset_t completions;
    ::sigemptyset(&completions);
    ::sigaddset(&completions, completion_signal());
    ::pthread_sigmask(SIG_BLOCK, &completions, nullptr);
    signals_.reset(::signalfd(-1, &completions, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_) return make_error("cannot create a signalfd: {}", describe(last_errno()));

    pollfd watched[] = {
        {stop_signal::descriptor(), POLLIN, 0}, {signals_.get(), POLLIN, 0}, {listener_, 0, 0}};
    set_nonblocking(listener_, true);
    while (!connections_.finished()) {
      auto& [stop, signals, listener] = watched;
      listener.events = connections_.accepting() ? POLLIN : 0;
      listener.fd = connections_.accepting() ? listener_ : -1;
      const int ready = ::poll(watched, std::size(watched), wait_limit_ms());
      if (ready == 0) look_at_all();
      if (ready > 0 && signals.revents != 0) on_signals();
      if (ready > 0 && listener.revents != 0) on_listener_ready();
      if (ready > 0 && stop.revents != 0) {
        connections_.on_accept_error(Errno{EINVAL});
        stop.fd = -1;  // poll passes over it
      }
      // The thread that reads or writes comes back with end of file or an error.
      connections_.expire(
          [this](Token token) { ::shutdown(connections_.find(token)->fd.get(), SHUT_RDWR); });
    }
    return {};
  }

 private:
  static int completion_signal() { return SIGRTMIN; }

  // Signals that exceed RLIMIT_SIGPENDING, because other processes have many pending, are lost.
  // Whenever there was none for a second, every connection is looked at.
  int wait_limit_ms() noexcept {
    constexpr int kLook = 1000;
    const int due = connections_.timeout_ms();
    if (connections_.size() == 0) return due;
    return due < 0 ? kLook : std::min(due, kLook);
  }
  void look_at_all() {
    connections_.each(
        [this](Token token, Connection& connection) { on_complete(token, connection); });
  }

  void on_listener_ready() {
    const auto on_accepted = [this](Token token, Connection& connection) {
      proceed(token, connection);
    };
    accept_burst(listener_, connections_, on_accepted, kAcceptsPerRound, 0);  // blocking sockets
  }

  void on_signals() {
    std::array<signalfd_siginfo, 64> batch;
    const ssize_t got = ::read(signals_.get(), batch.data(), sizeof batch);
    for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got) / sizeof batch[0]; ++i) {
      const Token token = batch[i].ssi_ptr;
      Connection* connection = connections_.find(token);
      if (connection != nullptr) on_complete(token, *connection);
    }
  }

  void on_complete(Token token, Connection& connection) {
    aiocb& request = connection.request;
    const int error = ::aio_error(&request);
    if (error == EINPROGRESS) return;  // the signal was about an earlier one
    const ssize_t count = ::aio_return(&request);
    connections_.touch(token);
    if (request.aio_lio_opcode == LIO_READ) {
      if (error == 0) {
        connection.session.on_read(static_cast<std::size_t>(count));
      } else {
        connection.session.cancel_read();
      }
    } else if (error == 0) {
      connection.session.on_written(static_cast<std::size_t>(count));
    }
    if (error != 0 && error != EINTR) return connections_.close(token);
    proceed(token, connection);
  }

  // Starts the one operation that this connection needs next.
  void proceed(Token token, Connection& connection) {
    Session& session = connection.session;
    if (session.wants_half_close()) {
      ::shutdown(connection.fd.get(), SHUT_WR);
      session.on_half_closed();
    }
    if (session.done()) return connections_.close(token);
    const bool writes = session.wants_write();
    std::span<const std::byte> bytes;
    if (writes) {
      const iovec& piece = session.write_buffers().front();
      bytes = {static_cast<const std::byte*>(piece.iov_base), piece.iov_len};
    } else {
      bytes = session.lease_read();
    }
    connection.request = {};
    aiocb& request = connection.request;
    request.aio_fildes = connection.fd.get();
    request.aio_lio_opcode = writes ? LIO_WRITE : LIO_READ;
    request.aio_buf = const_cast<std::byte*>(bytes.data());  // aio_write does not write to it
    request.aio_nbytes = bytes.size();
    request.aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    request.aio_sigevent.sigev_signo = completion_signal();
    request.aio_sigevent.sigev_value.sival_ptr = reinterpret_cast<void*>(token);
    const int started = writes ? ::aio_write(&request) : ::aio_read(&request);
    if (started != 0)
      connections_.close(token);  // out of memory or threads: this connection is shed
  }

  int listener_;
  UniqueFd signals_;
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return PosixAio(server).run(); }

}  // namespace muxbench
