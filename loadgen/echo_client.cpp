#include "loadgen/echo_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace muxbench::loadgen {
namespace {

// After so many damaged messages in a row the stream is taken for out of step, and started anew.
constexpr std::uint8_t kHopeless = 8;

ErrorKind kind_of(DeviationKind kind) {
  switch (kind) {
    case DeviationKind::missing:
      return ErrorKind::missing;
    case DeviationKind::duplicate:
    case DeviationKind::extra:
      return ErrorKind::extra;
    default:
      return ErrorKind::corrupt;  // The right bytes are not in their place.
  }
}

std::string explain(const Deviation& found) {
  switch (found.kind) {
    case DeviationKind::corrupt:
      return fmt::format("expected 0x{:02x}, got 0x{:02x} ({} wrong in a row)", found.expected,
                         found.got, found.length);
    case DeviationKind::missing:
      return fmt::format("{} bytes are missing: expected 0x{:02x}, got 0x{:02x}", found.length,
                         found.expected, found.got);
    case DeviationKind::reordered:
      return fmt::format("{} bytes came later than those after them", found.length);
    case DeviationKind::duplicate:
      return fmt::format("the stream repeats itself from {} bytes before", found.length);
    case DeviationKind::extra:
      return fmt::format("{} bytes that nobody asked for, the first is 0x{:02x}", found.length,
                         found.got);
    case DeviationKind::foreign:
      return found.owner ? fmt::format("{} bytes of connection {}", found.length, *found.owner)
                         : fmt::format("{} bytes of another connection", found.length);
  }
  return {};
}

}  // namespace

EchoClient::EchoClient(const Pattern& pattern, std::uint32_t message_bytes, ErrorLog& errors,
                       OwnerOf owner_of)
    : message_bytes_(message_bytes),
      errors_(errors),
      context_{.pattern = pattern,
               .recent = std::max<std::uint64_t>(2 * std::uint64_t{message_bytes}, 256),
               .owner_of = std::move(owner_of)} {}

void EchoClient::open(State& state, std::uint32_t connection, std::uint32_t incarnation) const {
  state = State{.verifier = StreamVerifier(context_.pattern.start_of(connection, incarnation)),
                .connection = connection};
}

Outgoing EchoClient::outgoing(const State& state) const noexcept {
  const Pattern& pattern = context_.pattern;
  const std::size_t size = state.asked - state.sent;
  // In step, sending is at most one message ahead of the bytes verified, which spares a division.
  const std::uint32_t offset =
      state.verifier.troubled() || state.sent < state.verifier.reached()
          ? pattern.advance(state.verifier.start(), state.sent)
          : pattern.step(state.verifier.cursor(), state.sent - state.verifier.reached());
  return Outgoing({pattern.at(offset), size});
}

Received EchoClient::examine(State& state, std::span<const std::byte> bytes) {
  // With nothing under way whatever comes is judged to its end.
  const bool unasked = state.verifier.reached() >= state.asked;
  const std::uint64_t until = unasked ? std::numeric_limits<std::uint64_t>::max() : state.asked;
  const std::size_t taken = state.verifier.examine(context_, bytes, state.asked, until);
  if (report(state) || state.verifier.troubled()) state.damaged = true;
  if (state.verifier.lost()) return {taken, Outcome::broken};
  if (unasked || state.verifier.reached() < state.asked) return {taken, Outcome::more};
  if (!state.damaged) return {taken, Outcome::succeeded};
  const bool in_a_row = state.last_damaged + message_bytes_ == state.asked;
  state.damaged_in_a_row = in_a_row ? static_cast<std::uint8_t>(state.damaged_in_a_row + 1) : 1;
  state.last_damaged = state.asked;
  return {taken, state.damaged_in_a_row < kHopeless ? Outcome::failed : Outcome::broken};
}

bool EchoClient::conclude(State& state) {
  state.verifier.finish(context_, state.asked);
  return report(state);
}

bool EchoClient::report(const State& state) {
  for (const Deviation& found : context_.found) {
    errors_.add(kind_of(found.kind), [&] {
      return fmt::format("connection {}, message {}, byte {}: {}", state.connection,
                         found.position / message_bytes_, found.position % message_bytes_,
                         explain(found));
    });
  }
  const bool any = !context_.found.empty();
  context_.found.clear();
  return any;
}

std::string EchoClient::progress(const State& state) const {
  const std::uint64_t reached = state.verifier.reached();
  if (reached >= state.asked) return fmt::format("after {} messages", reached / message_bytes_);
  return fmt::format("message {}, {} of {} bytes received", reached / message_bytes_,
                     reached % message_bytes_, message_bytes_);
}

bool EchoClient::covers(const State& state, std::uint32_t offset) const noexcept {
  const Pattern& pattern = context_.pattern;
  const std::uint64_t reached = state.verifier.reached();
  const std::uint64_t from = reached - std::min(reached, context_.recent);
  const std::uint32_t begin = pattern.advance(state.verifier.start(), from);
  const std::uint64_t distance =
      (std::uint64_t{offset} + pattern.period() - begin) % pattern.period();
  return distance < state.asked - from;
}

}  // namespace muxbench::loadgen
