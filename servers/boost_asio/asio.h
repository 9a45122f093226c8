// What the Boost.Asio models share: sockets of any stream family without type-erased executors, and
// the session's buffers in Asio's form.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/version.hpp>

#include "runtime/model.h"
#include "runtime/stop_signal.h"

namespace muxbench::asio {

using namespace boost::asio;  // NOLINT: its names are ours here, and no others

using Executor = io_context::executor_type;
using Socket = basic_stream_socket<generic::stream_protocol, Executor>;
using Acceptor = basic_socket_acceptor<generic::stream_protocol, Executor>;
using Timer = basic_waitable_timer<std::chrono::steady_clock,
                                   wait_traits<std::chrono::steady_clock>, Executor>;
using ErrorCode = boost::system::error_code;

// For an io_context that one thread runs and no other touches: Asio takes no lock at all then, where
// its usual hint for one thread, 1, still locks at every turn of the queue and for every operation.
// (Names cannot be resolved asynchronously under it, which no server here does.)
constexpr int kOneThread = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE;

inline Errno to_errno(const ErrorCode& error) noexcept { return static_cast<Errno>(error.value()); }

inline mutable_buffer to_buffer(std::span<std::byte> bytes) noexcept {
  return buffer(bytes.data(), bytes.size());
}

// A ConstBufferSequence over the session's own pieces.
class Pieces {
 public:
  explicit Pieces(std::span<const iovec> pieces) noexcept : count_(pieces.size()) {
    for (std::size_t i = 0; i < count_; ++i) {
      pieces_[i] = const_buffer(pieces[i].iov_base, pieces[i].iov_len);
    }
  }
  const const_buffer* begin() const noexcept { return pieces_.data(); }
  const const_buffer* end() const noexcept { return pieces_.data() + count_; }

 private:
  std::array<const_buffer, 2> pieces_;
  std::size_t count_;
};

// Accepts on a descriptor that stays ours.
class BorrowedAcceptor : public Acceptor {
 public:
  BorrowedAcceptor(io_context& context, const ServerContext& server)
      : Acceptor(context.get_executor(),
                 generic::stream_protocol(server.options.address.family(), 0), server.listener) {
    // Otherwise Asio goes on waiting after ECONNABORTED, although the next one may be there
    // already.
    set_option(enable_connection_aborted(true));
  }
  ~BorrowedAcceptor() {
    ErrorCode ignored;
    if (is_open()) release(ignored);
  }
};

// Readable from the stop signal on.
class StopEvent : public posix::basic_stream_descriptor<Executor> {
 public:
  explicit StopEvent(io_context& context)
      : basic_stream_descriptor(context.get_executor(), stop_signal::descriptor()) {}
  ~StopEvent() { release(); }
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

}  // namespace muxbench::asio
