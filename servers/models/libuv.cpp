// libuv: the loop of Node.js reads into a buffer that it asks us for and reports what came; a write
// is tried at once and queued only when it would block.
// Syscalls per request: 1/k epoll_wait (k connections ready at once), 1 read, 1 write.
// Limit: a callback for every step, and a close that takes effect a turn of the loop later.
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "event_loop/connection_set.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace {

// libuv has no name for what its loop waits with, but the kernel has one for the loop's descriptor.
std::string backend() {
  uv_loop_t loop;
  if (::uv_loop_init(&loop) != 0) return {};
  std::array<char, 64> kind{};
  const std::string link = fmt::format("/proc/self/fd/{}", ::uv_backend_fd(&loop));
  if (::readlink(link.c_str(), kind.data(), kind.size() - 1) < 0) kind = {"unknown"};
  ::uv_loop_close(&loop);
  const std::string_view name = kind.data();
  return name == "anon_inode:[eventpoll]" ? "epoll" : std::string(name);
}

Probe probe() {
  const std::string backs = backend();
  if (backs.empty()) return {.unavailable_because = "libuv cannot make a loop here"};
  return {.features = {{"library_version", uv_version_string()}, {"backend", backs}}};
}

}  // namespace

const ModelInfo kModel{
    .name = "libuv",
    .family = "library",
    .mechanism = "libuv: uv_read_start, uv_try_write, uv_write",
    // uv__io_poll() calls abort() when epoll_ctl fails, and uv__emfile_trick() accepts
    // and closes when descriptors run out.
    .capabilities = {.sheds_when_full = true, .survives_refused_watch = false},
    .probe = probe};

namespace {

union Handle {
  uv_handle_t any;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct Connection {
  Handle handle;  // owns the descriptor
  Session session;
  Token token = 0;
  uv_write_t write{};
  std::size_t queued = 0;  // bytes that libuv writes when it can
};

// At the limit of descriptors libuv accepts connections only to close them; we stop before that,
// and leave what it needs for itself.
std::size_t most_connections() {
  constexpr rlim_t kOthers = 24;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur > kOthers ? limit.rlim_cur - kOthers : 1;
}

class Libuv {
 public:
  explicit Libuv(const ServerContext& server)
      : server_(server), connections_(server, most_connections()) {}

  Result<> run() {
    ::uv_loop_init(&loop_);
    loop_.data = this;
    ::uv_timer_init(&loop_, &timer_);
    // libuv closes what it is given to listen on, and the descriptor is not ours to give.
    UniqueFd listener(::fcntl(server_.listener, F_DUPFD_CLOEXEC, 0));
    init(listener_);
    const int opened = is_unix() ? ::uv_pipe_open(&listener_.pipe, listener.release())
                                 : ::uv_tcp_open(&listener_.tcp, listener.release());
    if (opened != 0) return make_error("libuv cannot take the listener: {}", ::uv_strerror(opened));
    const int listening = ::uv_listen(&listener_.stream, server_.options.backlog, &on_connection);
    if (listening != 0) return make_error("libuv cannot listen: {}", ::uv_strerror(listening));
    ::uv_poll_init(&loop_, &stop_, stop_signal::descriptor());
    ::uv_poll_start(&stop_, UV_READABLE, [](uv_poll_t* stop, int, int) {
      of(reinterpret_cast<uv_handle_t*>(stop)).on_accept_error(Errno{EINVAL});
    });
    ::uv_run(&loop_, UV_RUN_DEFAULT);  // until every handle is closed
    ::uv_loop_close(&loop_);
    return {};
  }

 private:
  static Libuv& of(const uv_handle_t* handle) { return *static_cast<Libuv*>(handle->loop->data); }
  static Connection& connection_of(const uv_handle_t* handle) {
    return *static_cast<Connection*>(handle->data);
  }
  bool is_unix() const { return server_.options.address.is_unix(); }

  void init(Handle& handle) {
    if (is_unix()) {
      ::uv_pipe_init(&loop_, &handle.pipe, 0);
    } else {
      ::uv_tcp_init(&loop_, &handle.tcp);
    }
  }

  static void on_connection(uv_stream_t* listener, int status) {
    Libuv& self = of(reinterpret_cast<uv_handle_t*>(listener));
    if (status < 0) return self.on_accept_error(static_cast<Errno>(-status));
    // What is not accepted here stays with libuv, which stops listening until it is.
    self.one_waits_ = true;
    self.accept_waiting();
  }

  void on_accept_error(Errno error) {
    const AcceptAdvice advice = connections_.on_accept_error(
        error, [](Token, Connection& connection) { ::shutdown(descriptor(connection), SHUT_RD); });
    if (advice == AcceptAdvice::stop && ::uv_is_closing(&listener_.any) == 0) {
      ::uv_close(&listener_.any, nullptr);
      ::uv_close(reinterpret_cast<uv_handle_t*>(&stop_), nullptr);
    }
    update_timer();
  }

  void accept_waiting() {
    if (one_waits_ && connections_.accepting()) {
      one_waits_ = false;
      auto [token, connection] = connections_.open(Handle{});
      connection.token = token;
      init(connection.handle);
      connection.handle.any.data = &connection;
      if (::uv_accept(&listener_.stream, &connection.handle.stream) != 0) {
        close(connection);
      } else {
        ::uv_read_start(&connection.handle.stream, &on_alloc, &on_read);
        proceed(connection);
      }
    }
    update_timer();
  }

  // libuv proposes 64 KiB; it gets the 16 KiB that every model reads into.
  static void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    const std::span<std::byte> lease = connection_of(handle).session.lease_read();
    *buffer =
        ::uv_buf_init(reinterpret_cast<char*>(lease.data()), static_cast<unsigned>(lease.size()));
  }

  static void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t*) {
    Connection& connection = connection_of(reinterpret_cast<uv_handle_t*>(stream));
    Libuv& self = of(reinterpret_cast<uv_handle_t*>(stream));
    self.connections_.touch(connection.token);
    if (got > 0) {
      connection.session.on_read(static_cast<std::size_t>(got));
    } else if (got == UV_EOF) {
      ::uv_read_stop(stream);
      connection.session.on_read(0);
    } else {
      connection.session.cancel_read();
      if (got < 0) return self.close(connection);  // 0: there was nothing after all
    }
    self.proceed(connection);
  }

  void proceed(Connection& connection) {
    Session& session = connection.session;
    uv_stream_t* const stream = &connection.handle.stream;
    while (session.wants_write() && connection.queued == 0) {
      const std::span<const iovec> pieces = session.write_buffers();
      // uv_buf_t is laid out as iovec on Unix, so that libuv itself passes one for the other.
      const auto* buffers = reinterpret_cast<const uv_buf_t*>(pieces.data());
      const auto count = static_cast<unsigned>(pieces.size());
      const int sent = ::uv_try_write(stream, buffers, count);
      if (sent >= 0) {
        session.on_written(static_cast<std::size_t>(sent));
      } else if (sent == UV_EAGAIN) {
        ::uv_read_stop(stream);
        for (const iovec& piece : pieces) connection.queued += piece.iov_len;
        if (::uv_write(&connection.write, stream, buffers, count, &on_written) != 0) {
          return close(connection);
        }
      } else {
        return close(connection);
      }
    }
    if (session.wants_half_close()) {
      ::shutdown(descriptor(connection), SHUT_WR);
      session.on_half_closed();
    }
    if (session.done()) close(connection);
  }

  static void on_written(uv_write_t* request, int status) {
    Connection& connection = connection_of(reinterpret_cast<uv_handle_t*>(request->handle));
    Libuv& self = of(&connection.handle.any);
    if (::uv_is_closing(&connection.handle.any) != 0) return;
    self.connections_.touch(connection.token);
    if (status < 0) return self.close(connection);
    connection.session.on_written(std::exchange(connection.queued, 0));
    ::uv_read_start(request->handle, &on_alloc, &on_read);
    self.proceed(connection);
  }

  void close(Connection& connection) {
    if (::uv_is_closing(&connection.handle.any) != 0) return;
    ::uv_close(&connection.handle.any, [](uv_handle_t* handle) {
      Libuv& self = of(handle);
      self.connections_.close(connection_of(handle).token);
      self.accept_waiting();
    });
  }

  static int descriptor(const Connection& connection) {
    uv_os_fd_t fd = -1;
    ::uv_fileno(&connection.handle.any, &fd);
    return fd;
  }

  // One timer for everything that is due at some time.
  void update_timer() {
    auto* const timer = reinterpret_cast<uv_handle_t*>(&timer_);
    if (connections_.finished()) {
      if (::uv_is_closing(timer) == 0) ::uv_close(timer, nullptr);
      return;
    }
    const int due = connections_.timeout_ms();
    if (due < 0 || (::uv_is_active(timer) != 0 && connections_.accepting())) return;
    ::uv_timer_start(
        &timer_,
        [](uv_timer_t* fired) {
          Libuv& self = of(reinterpret_cast<uv_handle_t*>(fired));
          self.connections_.expire(
              [&](Token token) { self.close(*self.connections_.find(token)); });
          self.accept_waiting();
        },
        // A timer of 0 would run again in the same turn, before closes have taken effect.
        static_cast<std::uint64_t>(std::max(due, 1)), 0);
  }

  const ServerContext& server_;
  uv_loop_t loop_{};
  Handle listener_{};
  uv_poll_t stop_{};
  uv_timer_t timer_{};
  bool one_waits_ = false;  // libuv holds an accepted connection for us
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Libuv(server).run(); }

}  // namespace muxbench
