// The echo protocol: whatever is sent must come back. A connection is one long stream of the
// pattern; a message is the next `message_bytes` of it.
#pragma once

#include <string>

#include "loadgen/client_protocol.h"
#include "loadgen/errors.h"
#include "loadgen/stream_verifier.h"

namespace muxbench::loadgen {

class EchoClient {
 public:
  static constexpr bool kConnectionPerRequest = false;
  static constexpr bool kGreeted = false;

  struct State {
    StreamVerifier verifier;
    std::uint64_t sent = 0;          // stream position that sending has reached
    std::uint64_t asked = 0;         // stream position at which the last message begun ends
    std::uint64_t last_damaged = 0;  // where the message that was wrong last ended
    std::uint32_t connection = 0;
    std::uint8_t damaged_in_a_row = 0;
    bool damaged = false;  // something was wrong since the message began
  };

  using OwnerOf = std::function<std::optional<std::uint32_t>(std::uint32_t offset)>;

  // `owner_of` names the connection of this thread that an offset of the pattern belongs to.
  EchoClient(const Pattern& pattern, std::uint32_t message_bytes, ErrorLog& errors,
             OwnerOf owner_of);

  void open(State& state, std::uint32_t connection, std::uint32_t incarnation) const;
  void begin(State& state) const noexcept {
    state.asked += message_bytes_;
    state.damaged = false;
  }
  Outgoing outgoing(const State& state) const noexcept;
  void sent(State& state, std::size_t bytes) const noexcept { state.sent += bytes; }

  Received receive(State& state, std::span<const std::byte> bytes) {
    const std::uint64_t open = state.asked - std::min(state.asked, state.verifier.reached());
    if (bytes.size() <= open && !state.damaged && state.verifier.matches(context_.pattern, bytes))
        [[likely]] {
      return {bytes.size(), bytes.size() == open ? Outcome::succeeded : Outcome::more};
    }
    return examine(state, bytes);
  }

  Outcome end_of_stream(State&) const noexcept { return Outcome::broken; }
  bool conclude(State& state);
  std::string progress(const State& state) const;

  // Whether the stream has bytes at this offset of the pattern on their way, or just received.
  bool covers(const State& state, std::uint32_t offset) const noexcept;

 private:
  Received examine(State& state, std::span<const std::byte> bytes);
  bool report(const State& state);

  std::uint32_t message_bytes_;
  ErrorLog& errors_;
  VerifierContext context_;
};

}  // namespace muxbench::loadgen
