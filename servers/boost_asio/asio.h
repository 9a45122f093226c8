// What the Boost.Asio models share: sockets of any stream family without type-erased executors, and
// the session's buffers in Asio's form.
#pragma once

#include <signal.h>

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/version.hpp>

#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench {
namespace asio = boost::asio;
}

namespace muxbench::io {

using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using ErrorCode = boost::system::error_code;

// For an io_context that one thread runs and no other touches: Asio takes no lock at all then, where
// its usual hint for one thread, 1, still locks at every turn of the queue and for every operation.
// (Names cannot be resolved asynchronously under it, which no server here does.)
constexpr int kOneThread = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE;

inline Errno to_errno(const ErrorCode& error) noexcept { return static_cast<Errno>(error.value()); }

inline asio::mutable_buffer to_buffer(std::span<std::byte> bytes) noexcept {
  return asio::buffer(bytes.data(), bytes.size());
}

// A ConstBufferSequence over the session's own pieces.
class Pieces {
 public:
  explicit Pieces(std::span<const iovec> pieces) noexcept : count_(pieces.size()) {
    for (std::size_t i = 0; i < count_; ++i) {
      pieces_[i] = asio::const_buffer(pieces[i].iov_base, pieces[i].iov_len);
    }
  }
  const asio::const_buffer* begin() const noexcept { return pieces_.data(); }
  const asio::const_buffer* end() const noexcept { return pieces_.data() + count_; }

 private:
  std::array<asio::const_buffer, 2> pieces_;
  std::size_t count_;
};

// Accepts on a descriptor that stays ours.
class BorrowedAcceptor : public Acceptor {
 public:
  BorrowedAcceptor(asio::io_context& context, const ServerContext& server)
      : Acceptor(context.get_executor(),
                 asio::generic::stream_protocol(server.options.address.family(), 0),
                 server.listener) {
    // Otherwise Asio goes on waiting after ECONNABORTED, although the next one may be there
    // already.
    set_option(enable_connection_aborted(true));
  }
  ~BorrowedAcceptor() {
    ErrorCode ignored;
    if (is_open()) release(ignored);
  }
};

// SIGINT and SIGTERM, once: on_stop() is called in a thread that runs the context, after the server's
// own handler has had the signal. From then on signals go to that handler.
class StopSignals {
 public:
  explicit StopSignals(asio::io_context& context) : set_(context.get_executor(), SIGINT, SIGTERM) {}

  template <typename OnStop>
  void async_wait(OnStop on_stop) {
    // One may have come before the set was made.
    if (stop_signal::requested()) {
      return asio::post(set_.get_executor(), on_stop);
    }
    set_.async_wait([on_stop](const ErrorCode&, int number) mutable {
      stop_signal::deliver(number);
      on_stop();
    });
  }

 private:
  struct RestoreHandler {
    ~RestoreHandler() { stop_signal::restore_handler(); }
  };
  RestoreHandler after_the_set_;  // which leaves the default action behind
  asio::basic_signal_set<Executor> set_;
};

// Asio chooses what it stands on when it is compiled.
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
constexpr const char* kBackend = "io_uring";
#elif defined(BOOST_ASIO_HAS_EPOLL)
constexpr const char* kBackend = "epoll";
#elif defined(BOOST_ASIO_HAS_KQUEUE)
constexpr const char* kBackend = "kqueue";
#else
constexpr const char* kBackend = "select";
#endif

inline Probe probe() {
  return {.features = {{"library_version", fmt::format("Boost {}.{}", BOOST_VERSION / 100000,
                                                       BOOST_VERSION / 100 % 1000)},
                       {"backend", kBackend}}};
}

}  // namespace muxbench::io
