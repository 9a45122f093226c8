// What a client protocol is: a class without sockets or clock that says what to send and judges
// what came. The load loop (engine/load_loop.h) is a template over it, and tests join it to a fake peer.
//
//   struct Client {
//     static constexpr bool kConnectionPerRequest;  // each request opens a connection of its own
//     static constexpr bool kGreeted;               // the server speaks first
//     static constexpr bool kEndsByHalfClose;       // the server closes when we finish sending
//     static constexpr bool kResumes;               // requests may be asked again (`resume`)
//     struct State;                                 // per connection; small
//     void open(State&, std::uint32_t connection, std::uint32_t incarnation);
//     void begin(State&);                           // one more request
//     void resume(State&);                          // those not answered, on another connection
//     Outgoing outgoing(const State&);              // what is ready to be sent; may be empty
//     void sent(State&, std::size_t bytes);
//     // Stops after each response. With several requests in flight the bytes of one response can
//     // complete more than one: then `more_complete` holds, and receive takes no bytes.
//     Received receive(State&, std::span<const std::byte>);
//     bool more_complete(const State&);
//     Outcome end_of_stream(State&);                // the peer finished sending
//     // No more will come. Is something wrong with the oldest request under way that explains why
//     // it has no complete answer?
//     bool conclude(State&);
//     std::string progress(const State&);           // "message 12, 60 of 64 bytes received"
//   };
//
// Errors in the bytes go to the thread's ErrorLog: before `spoiled` or `broken` is returned, and for
// `failed` at the latest in `conclude`, for what is wrong may show only in the bytes after it.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace muxbench::loadgen {

// From `finished` on the connection is over.
enum class Outcome : std::uint8_t {
  more,       // the response is not complete
  succeeded,  // complete and right; the connection is ready for the next request
  failed,     // complete but wrong; the connection is ready for the next request
  finished,   // complete and right, and the connection is over
  spoiled,    // complete but wrong, and the connection is over
  broken,     // wrong, and the connection can no longer be trusted
};

struct Received {
  std::size_t consumed = 0;
  Outcome outcome = Outcome::more;
};

// Pieces to send, valid until the client object is used again.
class Outgoing {
 public:
  Outgoing() = default;
  explicit Outgoing(std::span<const std::byte> bytes) { add(bytes); }
  void add(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    // iovec serves reading and writing and so lacks the const; send(2) does not write.
    pieces_[count_++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    size_ += bytes.size();
  }
  std::span<const iovec> pieces() const& noexcept { return {pieces_.data(), count_}; }
  std::span<const iovec> pieces() const&& = delete;  // it would outlive what it looks at
  std::size_t size() const noexcept { return size_; }
  // There is more than this to be sent, from elsewhere in memory.
  bool continued() const noexcept { return continued_; }
  void set_continued(bool continued) noexcept { continued_ = continued; }

 private:
  std::array<iovec, 3> pieces_{};
  std::size_t count_ = 0;
  std::size_t size_ = 0;
  bool continued_ = false;
};

}  // namespace muxbench::loadgen
