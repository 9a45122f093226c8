// The echo protocol: whatever is sent must come back. A connection is one long stream of the
// pattern; a message is the next so many bytes of it. Several may be under way at a time.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "client/client_protocol.h"
#include "client/errors.h"
#include "client/message_sizes.h"
#include "client/stream_verifier.h"

namespace muxbench::loadgen {

class EchoClient {
 public:
  static constexpr bool kConnectionPerRequest = false;
  static constexpr bool kGreeted = false;
  static constexpr bool kEndsByHalfClose = true;
  static constexpr bool kResumes = false;

  // Of a stream with wrong bytes, the latest of them. Stream positions:
  struct Damage {
    std::uint64_t end = 0;
    // Bytes that came with the answer that ends here, and were too many, failed that message. So
    // what is found out about them here does not fail the next one.
    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
    std::uint64_t surplus = kNone;
    std::uint32_t last_message = 0;
    std::uint8_t messages_in_a_row = 0;
  };

  struct State {
    StreamVerifier verifier;
    std::uint64_t sent = 0;   // stream position that sending has reached
    std::uint64_t asked = 0;  // stream position at which the last message begun ends
    std::uint64_t due = 0;    // ... and at which the oldest one under way ends
    std::unique_ptr<Damage> damage;
    std::uint32_t connection = 0;
    std::uint32_t begun = 0;  // messages
    std::uint32_t completed = 0;
    bool damaged = false;  // something was wrong in the oldest message under way
  };

  using OwnerOf = std::function<std::optional<std::uint32_t>(std::uint32_t offset)>;

  // `owner_of` names the connection of this thread that an offset of the pattern belongs to.
  EchoClient(const Pattern& pattern, const MessageSizes& sizes, ErrorLog& errors, OwnerOf owner_of,
             std::uint32_t pipeline = 1);

  void open(State& state, std::uint32_t connection, std::uint32_t incarnation) const;
  [[gnu::always_inline]] void begin(State& state) const noexcept {
    state.asked += size_of(state, state.begun);
    if (state.begun++ == state.completed) state.due = state.asked;
  }
  Outgoing outgoing(const State& state) const noexcept;
  void sent(State& state, std::size_t bytes) const noexcept { state.sent += bytes; }

  [[gnu::always_inline]] Received receive(State& state, std::span<const std::byte> bytes) {
    const std::uint64_t open = state.due - std::min(state.due, state.verifier.reached());
    const auto own = bytes.first(std::min<std::uint64_t>(bytes.size(), open));
    const bool surplus = bytes.size() > open && state.completed + 1 == state.begun;
    if (!own.empty() && !surplus && !state.damaged && state.verifier.matches(context_.pattern, own))
        [[likely]] {
      if (own.size() < open) return {own.size(), Outcome::more};
      advance(state);
      return {own.size(), Outcome::succeeded};
    }
    return examine(state, bytes);
  }
  bool more_complete(const State& state) const noexcept {
    return state.completed != state.begun && state.verifier.reached() >= state.due;
  }

  Outcome end_of_stream(State&) const noexcept { return Outcome::broken; }
  bool conclude(State& state);
  std::string progress(const State& state) const;

  // Whether the stream has bytes at this offset of the pattern on their way, or just received.
  bool covers(const State& state, std::uint32_t offset) const noexcept;

 private:
  std::uint32_t size_of(const State& state, std::uint32_t message) const noexcept {
    return sizes_.size(state.connection, message);
  }
  // The oldest message is complete: on to the next.
  [[gnu::always_inline]] void advance(State& state) const noexcept {
    if (++state.completed != state.begun) state.due += size_of(state, state.completed);
  }
  Received examine(State& state, std::span<const std::byte> bytes);
  void take_surplus(State& state, std::span<const std::byte> bytes);
  Outcome judge(State& state) const;
  static Damage& damage_of(State& state);
  bool report(State& state);
  // Message and byte within it that a stream position belongs to.
  std::pair<std::uint64_t, std::uint64_t> place(const State& state, std::uint64_t position) const;

  MessageSizes sizes_;
  ErrorLog& errors_;
  VerifierContext context_;
};

}  // namespace muxbench::loadgen
