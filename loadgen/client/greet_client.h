// The greet protocol: connect, read "Hello World!\r\n", send one line, read it back, read the end.
// A request is that whole exchange, the connecting included. The line names its connection and
// sequence number and is filled up with printable pattern: "17 42 h4;Yx...\r\n".
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "client/client_protocol.h"
#include "client/errors.h"
#include "client/pattern.h"

namespace muxbench::loadgen {

class GreetClient {
 public:
  static constexpr bool kConnectionPerRequest = true;
  static constexpr bool kGreeted = true;
  static constexpr bool kEndsByHalfClose = false;
  static constexpr bool kResumes = false;
  static constexpr std::string_view kGreeting = "Hello World!\r\n";
  static constexpr std::uint32_t kShortestLine = 3;  // one character and CR LF

  struct State {
    std::uint32_t connection = 0;
    std::uint32_t sequence = 0;
    std::uint32_t sent = 0;
    std::uint32_t received = 0;  // greeting and line together
  };

  // `pattern` is printable; `line_bytes` counts CR LF.
  GreetClient(const Pattern& pattern, std::uint32_t line_bytes, ErrorLog& errors)
      : pattern_(pattern), line_bytes_(line_bytes), errors_(errors) {}

  void open(State& state, std::uint32_t connection, std::uint32_t incarnation) const noexcept {
    state = State{.connection = connection, .sequence = incarnation};
  }
  void begin(State&) const noexcept {}
  Outgoing outgoing(const State& state);  // nothing until the greeting is complete
  void sent(State& state, std::size_t bytes) const noexcept {
    state.sent += static_cast<std::uint32_t>(bytes);
  }
  Received receive(State& state, std::span<const std::byte> bytes);
  bool more_complete(const State&) const noexcept { return false; }
  Outcome end_of_stream(State& state) const noexcept {
    const bool complete = state.received == kGreeting.size() + line_bytes_;
    return complete ? Outcome::finished : Outcome::broken;
  }
  bool conclude(State&) const noexcept { return false; }
  std::string progress(const State& state) const;

 private:
  using Pieces = std::array<std::span<const std::byte>, 3>;
  Pieces line_of(const State& state);

  const Pattern& pattern_;
  std::uint32_t line_bytes_;
  ErrorLog& errors_;
  fmt::basic_memory_buffer<char, 32> name_;  // of the line made last
};

}  // namespace muxbench::loadgen
