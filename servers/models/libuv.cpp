// libuv: the loop of Node.js reads into a buffer that it asks us for and reports what came; a write
// is tried at once and queued only when it would block.
// Syscalls per request: 1/k epoll_wait (k connections ready at once), 1 read, 1 write.
// Limit: a callback for every step, and a close that takes effect a turn of the loop later.
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include <variant>

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

using Stream = std::variant<uv_tcp_t, uv_pipe_t>;  // by the family of the listener

struct Connection {
  Stream handle;  // owns the descriptor
  Session session;
  Token token = 0;
  uv_stream_t* stream = nullptr;  // that handle, once it is initialised
  uv_write_t write{};
  uv_shutdown_t shutdown{};
  std::size_t queued = 0;  // bytes that libuv writes when it can
  bool received = true;    // since the last look, or it is new; for the end
  bool input_has_ended = false;
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
    if (const int made = ::uv_loop_init(&loop_); made != 0) return failed("make a loop", made);
    loop_.data = this;
    const Result<> begun = begin();
    if (!begun) return begun;
    ::uv_run(&loop_, UV_RUN_DEFAULT);  // until every handle is closed
    ::uv_loop_close(&loop_);
    return {};
  }

 private:
  static Error failed(const char* to_do, int error) {
    return make_error("libuv cannot {}: {}", to_do, ::uv_strerror(error));
  }

  Result<> begin() {
    if (const int e = ::uv_timer_init(&loop_, &timer_); e != 0) return failed("make a timer", e);
    if (const int e = ::uv_check_init(&loop_, &after_poll_); e != 0)
      return failed("make a check", e);
    if (const int e = ::uv_idle_init(&loop_, &no_sleep_); e != 0) return failed("make an idle", e);
    if (const int e = init(listener_); e != 0) return failed("make a handle", e);
    // libuv closes what it is given to listen on, and the descriptor is not ours to give.
    const int fd = ::fcntl(server_.listener, F_DUPFD_CLOEXEC, 0);
    const int opened = is_unix() ? ::uv_pipe_open(&std::get<uv_pipe_t>(listener_), fd)
                                 : ::uv_tcp_open(&std::get<uv_tcp_t>(listener_), fd);
    if (opened != 0) return failed("take the listener", opened);
    if (const int e = ::uv_listen(stream_of(listener_), server_.options.backlog, &on_connection);
        e != 0) {
      return failed("listen", e);
    }
    if (const int e = ::uv_poll_init(&loop_, &stop_, stop_signal::descriptor()); e != 0) {
      return failed("watch for the stop signal", e);
    }
    ::uv_poll_start(&stop_, UV_READABLE, [](uv_poll_t* stop, int, int) {
      of(handle_of(stop)).on_accept_error(Errno{EINVAL});
    });
    return {};
  }

  static Libuv& of(const uv_handle_t* handle) { return *static_cast<Libuv*>(handle->loop->data); }
  static Connection& connection_of(const uv_handle_t* handle) {
    return *static_cast<Connection*>(handle->data);
  }
  bool is_unix() const { return server_.options.address.is_unix(); }

  // libuv's types begin alike, and its functions take the general ones.
  template <typename Special>
  static uv_handle_t* handle_of(Special* special) {
    return reinterpret_cast<uv_handle_t*>(special);
  }
  static uv_stream_t* stream_of(Stream& handle) {
    return std::visit([](auto& special) { return reinterpret_cast<uv_stream_t*>(&special); },
                      handle);
  }

  // 0, or libuv's error.
  int init(Stream& handle) {
    if (is_unix()) return ::uv_pipe_init(&loop_, &handle.emplace<uv_pipe_t>(), 0);
    return ::uv_tcp_init(&loop_, &handle.emplace<uv_tcp_t>());
  }

  static void on_connection(uv_stream_t* listener, int status) {
    Libuv& self = of(handle_of(listener));
    if (status < 0) return self.on_accept_error(static_cast<Errno>(-status));
    // What is not accepted here stays with libuv, which stops listening until it is.
    self.one_waits_ = true;
    self.accept_waiting();
  }

  void on_accept_error(Errno error) {
    const AcceptAdvice advice = connections_.on_accept_error(
        error, [](Token, Connection& connection) { connection.received = true; });
    if (advice == AcceptAdvice::stop && ::uv_is_closing(handle_of(&stop_)) == 0) {
      ::uv_close(handle_of(stream_of(listener_)), nullptr);
      ::uv_close(handle_of(&stop_), nullptr);
      ::uv_check_start(&after_poll_, [](uv_check_t* check) { of(handle_of(check)).end_inputs(); });
      look_at_inputs();
    }
    update_timer();
  }

  // libuv has no call that ends a connection's input. So when the server stops, its loop looks at all
  // descriptors without sleeping until a look has found nothing that is still to be answered.
  void look_at_inputs() {
    ::uv_idle_start(&no_sleep_, [](uv_idle_t*) {});
  }
  void end_inputs() {
    ::uv_idle_stop(&no_sleep_);
    connections_.each([this](Token, Connection& connection) {
      if (connection.input_has_ended || connection.queued != 0) return;
      if (std::exchange(connection.received, false)) return look_at_inputs();
      on_input_ended(connection);
      proceed(connection);
    });
  }
  static void on_input_ended(Connection& connection) {
    if (std::exchange(connection.input_has_ended, true)) return;
    ::uv_read_stop(connection.stream);
    connection.session.on_read(0);
  }

  void accept_waiting() {
    if (one_waits_ && connections_.accepting()) {
      one_waits_ = false;
      auto [token, connection] = connections_.open(Stream());
      connection.token = token;
      if (init(connection.handle) != 0) {
        connections_.close(token);  // no memory: what waits is accepted with the next one
        return update_timer();
      }
      connection.stream = stream_of(connection.handle);
      connection.stream->data = &connection;
      if (::uv_accept(stream_of(listener_), connection.stream) != 0 ||
          ::uv_read_start(connection.stream, &on_alloc, &on_read) != 0) {
        close(connection);
      } else {
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
    Connection& connection = connection_of(handle_of(stream));
    Libuv& self = of(handle_of(stream));
    self.connections_.touch(connection.token);
    connection.received = true;
    if (got > 0) {
      connection.session.on_read(static_cast<std::size_t>(got));
    } else if (got == UV_EOF) {
      on_input_ended(connection);
    } else {
      connection.session.cancel_read();
      if (got < 0) return self.close(connection);  // 0: there was nothing after all
    }
    self.proceed(connection);
  }

  void proceed(Connection& connection) {
    Session& session = connection.session;
    uv_stream_t* const stream = connection.stream;
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
      // It takes effect in the loop's next turn; nothing is written any more.
      if (::uv_shutdown(&connection.shutdown, stream, nullptr) != 0) return close(connection);
      session.on_half_closed();
    }
    if (session.done()) close(connection);
  }

  static void on_written(uv_write_t* request, int status) {
    Connection& connection = connection_of(handle_of(request->handle));
    Libuv& self = of(handle_of(request->handle));
    if (::uv_is_closing(handle_of(request->handle)) != 0) return;
    self.connections_.touch(connection.token);
    if (status < 0) return self.close(connection);
    connection.session.on_written(std::exchange(connection.queued, 0));
    if (!connection.input_has_ended) ::uv_read_start(request->handle, &on_alloc, &on_read);
    if (self.connections_.stopping()) self.look_at_inputs();
    self.proceed(connection);
  }

  void close(Connection& connection) {
    if (::uv_is_closing(handle_of(connection.stream)) != 0) return;
    connection.input_has_ended = true;
    ::uv_close(handle_of(connection.stream), [](uv_handle_t* handle) {
      Libuv& self = of(handle);
      self.connections_.close(connection_of(handle).token);
      self.accept_waiting();
    });
  }

  // One timer for everything that is due at some time.
  void update_timer() {
    uv_handle_t* const timer = handle_of(&timer_);
    if (connections_.finished()) {
      for (uv_handle_t* last : {timer, handle_of(&after_poll_), handle_of(&no_sleep_)}) {
        if (::uv_is_closing(last) == 0) ::uv_close(last, nullptr);
      }
      return;
    }
    const int due = connections_.timeout_ms();
    if (due < 0 || (::uv_is_active(timer) != 0 && connections_.accepting())) return;
    ::uv_timer_start(
        &timer_,
        [](uv_timer_t* fired) {
          Libuv& self = of(handle_of(fired));
          self.connections_.expire(
              [&](Token token) { self.close(*self.connections_.find(token)); });
          self.accept_waiting();
        },
        // A timer of 0 would run again in the same turn, before closes have taken effect.
        static_cast<std::uint64_t>(std::max(due, 1)), 0);
  }

  const ServerContext& server_;
  uv_loop_t loop_{};
  Stream listener_;
  uv_poll_t stop_{};
  uv_timer_t timer_{};
  uv_check_t after_poll_{};
  uv_idle_t no_sleep_{};
  bool one_waits_ = false;  // libuv holds an accepted connection for us
  ConnectionSet<Connection> connections_;
};

}  // namespace

Result<> serve(ServerContext& server) { return Libuv(server).run(); }

}  // namespace muxbench
