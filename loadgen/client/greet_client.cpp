#include "client/greet_client.h"

#include <algorithm>
#include <iterator>

namespace muxbench::loadgen {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

// Three pieces: the name (left out when the line is too short for it), pattern, CR LF.
GreetClient::Pieces GreetClient::line_of(const State& state) {
  const std::size_t room = line_bytes_ - kLineEnd.size();
  name_.clear();
  fmt::format_to(std::back_inserter(name_), "{} {} ", state.connection, state.sequence);
  if (name_.size() > room) name_.clear();
  const std::uint32_t offset = pattern_.start_of(state.connection, state.sequence);
  return {bytes_of({name_.data(), name_.size()}),
          std::span(pattern_.at(offset), room - name_.size()), bytes_of(kLineEnd)};
}

Outgoing GreetClient::outgoing(const State& state) {
  Outgoing out;
  if (state.received < kGreeting.size() || state.sent == line_bytes_) return out;
  std::size_t skip = state.sent;
  for (const auto piece : line_of(state)) {
    const std::size_t skipped = std::min(skip, piece.size());
    out.add(piece.subspan(skipped));
    skip -= skipped;
  }
  return out;
}

Received GreetClient::receive(State& state, std::span<const std::byte> bytes) {
  const Pieces line = line_of(state);
  std::size_t begin = 0;  // of the piece, counted from the start of the connection
  std::size_t consumed = 0;
  for (const auto piece : {bytes_of(kGreeting), line[0], line[1], line[2]}) {
    const std::size_t end = begin + piece.size();
    if (state.received < end && consumed < bytes.size()) {
      const auto expected = piece.subspan(state.received - begin);
      const auto got = bytes.subspan(consumed, std::min(expected.size(), bytes.size() - consumed));
      const auto [wrong, right] = std::mismatch(got.begin(), got.end(), expected.begin());
      state.received += static_cast<std::uint32_t>(wrong - got.begin());
      if (wrong != got.end()) {
        errors_.add(ErrorKind::corrupt, [&, byte = *wrong, wanted = *right] {
          return fmt::format("connection {}, {}: expected 0x{:02x}, got 0x{:02x}", state.connection,
                             progress(state), wanted, byte);
        });
        return {bytes.size(), Outcome::broken};
      }
      consumed += got.size();
    }
    begin = end;
  }
  if (consumed == bytes.size()) return {consumed, Outcome::more};
  errors_.add(ErrorKind::extra, [&] {
    return fmt::format("connection {}: {} bytes after the end of the line", state.connection,
                       bytes.size() - consumed);
  });
  return {bytes.size(), Outcome::broken};
}

std::string GreetClient::progress(const State& state) const {
  if (state.received < kGreeting.size()) {
    return fmt::format("exchange {}, {} of {} bytes of the greeting received", state.sequence,
                       state.received, kGreeting.size());
  }
  return fmt::format("exchange {}, {} of {} bytes of the line received", state.sequence,
                     state.received - kGreeting.size(), line_bytes_);
}

}  // namespace muxbench::loadgen
