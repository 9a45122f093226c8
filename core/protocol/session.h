// One connection's conversation, without I/O: a model asks it where to read to and what to write,
// and tells it what happened.
//
//   readiness model                              completion model
//     n = recv(fd, session.lease_read());          on receive: session.on_read(n)
//     session.on_read(n);                          submit send(write_buffers()),
//     n = send(fd, session.write_buffers());         linked to recv(lease_read()) if then_reads()
//     session.on_written(n);                       on send: session.on_written(n)
//
// Reading and writing are independent: a lease can be taken while a write is pending. A session at
// rest holds no buffer.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "protocol/buffer_pool.h"
#include "protocol/echo.h"
#include "protocol/greet.h"
#include "protocol/http.h"
#include "protocol/reaction.h"

namespace muxbench {

using Protocol = std::variant<Echo, Greet, Http>;

// What the sessions of one worker share. Outlives them.
struct SessionContext {
  Protocol protocol;  // copied into each new session
  BufferPool buffers{};
  void (*on_request)() noexcept =
      nullptr;                 // called once per request, before its answer can be written
  bool holds_answers = false;  // each answer waits for Session::on_work_done()
  std::uint64_t requests = 0;  // answered, for whoever reads it and sets it back
};

class Session {
 public:
  explicit Session(SessionContext& context) noexcept;
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  // From here on it is a session of another worker, on that worker's thread. Buffers are all alike:
  // one that came from the pool of the worker before may go back to this one's.
  void move_to(SessionContext& context) noexcept { context_ = &context; }

  // Everything is said and sent: close the connection now.
  bool done() const noexcept { return state_ == State::done; }

  // Call shutdown(fd, SHUT_WR), then on_half_closed(), and go on reading until done().
  bool wants_half_close() const noexcept { return state_ == State::half_close; }
  void on_half_closed() noexcept;

  // True at once for protocols that speak first.
  bool wants_write() const noexcept { return has_output() && !awaits_work_; }

  // A request has come whose answer is held back (SessionContext::holds_answers): have its work
  // done, however long that takes, then call on_work_done(). The write comes after that.
  bool awaits_work() const noexcept { return awaits_work_; }
  void on_work_done() noexcept { awaits_work_ = false; }

  // Where to read to. Stays valid until on_read() or cancel_read(), whatever is written meanwhile.
  // Empty when nothing can be taken now: answers must be written first, or the conversation has
  // ended (look at done(): running out of memory ends it too).
  std::span<std::byte> lease_read() noexcept;
  // n bytes were read into the lease; 0: the peer has finished sending.
  void on_read(std::size_t n) noexcept;
  // Nothing was read (EAGAIN, EINTR, a cancelled receive): the lease ends, so that a session at
  // rest holds no buffer.
  void cancel_read() noexcept;

  // What to write next; empty when nothing is pending. May point into the bytes read: an echo
  // copies nothing.
  std::span<const iovec> write_buffers() const noexcept {
    return std::span(output_).subspan(output_first_, output_count_ - output_first_);
  }
  // n bytes of write_buffers() were sent; short writes are fine.
  void on_written(std::size_t n) noexcept;

  // The peer has begun a request that is not whole yet, or goes on sending after the last answer:
  // more of that is no reason to wait longer, or a byte now and then would hold a connection for
  // ever.
  bool mid_request() const noexcept {
    return state_ == State::lingering ||
           (state_ == State::open && !has_output() && input_begin_ < input_end_);
  }

  // Once what is pending is written, is a read certainly next? Then a completion model may link the
  // two.
  bool then_reads() const noexcept {
    return state_ == State::open && !peer_finished_ && input_begin_ == input_end_;
  }

 private:
  enum class State : std::uint8_t { open, closing, lingering_flush, half_close, lingering, done };

  bool has_output() const noexcept { return output_first_ < output_count_; }
  // Feeds the protocol until it has an answer or needs more input.
  void advance() noexcept;
  void take(const Reaction& reaction) noexcept;
  void finish_if_over() noexcept;
  void on_flushed() noexcept;
  void compact() noexcept;
  void release(std::byte*& buffer) noexcept;

  SessionContext* context_;
  std::byte* reading_ =
      nullptr;  // holds input [input_begin_, input_end_); the lease is what follows
  std::byte* writing_ =
      nullptr;  // holds what output_ points to, if it is neither static nor the protocol's own
  std::array<iovec, 2> output_{};
  // An idle connection is mostly this object, so the small things are packed.
  std::uint16_t input_begin_ = 0;
  std::uint16_t input_end_ = 0;
  std::uint16_t lingered_ = 0;  // swallowed since the half-close, in units of kLingerUnit bytes
  std::uint8_t output_first_ : 2 = 0;
  std::uint8_t output_count_ : 2 = 0;
  std::uint8_t leased_ : 1 = false;
  std::uint8_t peer_finished_ : 1 = false;
  std::uint8_t awaits_work_ : 1 = false;  // has_output() then
  State state_ = State::open;
  Protocol protocol_;
};

}  // namespace muxbench
