#include "client/echo_client.h"

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

EchoClient::EchoClient(const Pattern& pattern, const MessageSizes& sizes, ErrorLog& errors,
                       OwnerOf owner_of, std::uint32_t pipeline)
    : sizes_(sizes),
      errors_(errors),
      context_{.pattern = pattern,
               .recent = std::clamp<std::uint64_t>(2 * std::uint64_t{sizes.largest()} * pipeline,
                                                   256, pattern.period() / 2),
               .owner_of = std::move(owner_of)} {}

void EchoClient::open(State& state, std::uint32_t connection, std::uint32_t incarnation) const {
  state = State{.verifier = StreamVerifier(context_.pattern.start_of(connection, incarnation)),
                .connection = connection};
}

Outgoing EchoClient::outgoing(const State& state) const noexcept {
  const Pattern& pattern = context_.pattern;
  const std::uint64_t open = state.asked - state.sent;
  const std::size_t size = std::min<std::uint64_t>(open, pattern.longest_slice());
  // In step, sending is at most one message ahead of the bytes verified, which spares a division.
  const std::uint64_t ahead = state.sent - std::min(state.sent, state.verifier.reached());
  const bool in_step = !state.verifier.troubled() && state.sent >= state.verifier.reached() &&
                       ahead < pattern.period();
  const std::uint32_t offset = in_step ? pattern.step(state.verifier.cursor(), ahead)
                                       : pattern.advance(state.verifier.start(), state.sent);
  Outgoing out({pattern.at(offset), size});
  out.set_continued(size < open);
  return out;
}

Received EchoClient::examine(State& state, std::span<const std::byte> bytes) {
  // With nothing under way whatever comes is judged to its end.
  const bool unasked = state.completed == state.begun;
  const std::uint64_t until = unasked ? std::numeric_limits<std::uint64_t>::max() : state.due;
  std::size_t taken = state.verifier.examine(context_, bytes, state.asked, until);
  report(state);
  if (state.verifier.lost()) return {taken, Outcome::broken};
  if (unasked || state.verifier.reached() < state.due) return {taken, Outcome::more};
  if (taken < bytes.size() && state.completed + 1 == state.begun) {
    take_surplus(state, bytes.subspan(taken));
    taken = bytes.size();
    if (state.verifier.lost()) return {taken, Outcome::broken};
  }
  return {taken, judge(state)};
}

// More bytes than the last message under way has: they belong to its answer.
void EchoClient::take_surplus(State& state, std::span<const std::byte> bytes) {
  damage_of(state).surplus = state.due;
  state.damaged = true;
  state.verifier.examine(context_, bytes, state.asked, std::numeric_limits<std::uint64_t>::max());
  report(state);
}

// Of the message that is complete now.
Outcome EchoClient::judge(State& state) const {
  const std::uint64_t begin = state.due - size_of(state, state.completed);
  const bool damaged = state.damaged || state.verifier.skipped(begin, state.due);
  const std::uint32_t message = state.completed;
  advance(state);
  // Wrong bytes may reach into the next message.
  state.damaged = state.damage && state.damage->end > state.due - size_of(state, state.completed) &&
                  state.completed != state.begun;
  if (!damaged) return Outcome::succeeded;
  Damage& damage = damage_of(state);
  const bool in_a_row = damage.messages_in_a_row > 0 && damage.last_message + 1 == message;
  damage.messages_in_a_row =
      in_a_row ? static_cast<std::uint8_t>(damage.messages_in_a_row + 1) : std::uint8_t{1};
  damage.last_message = message;
  return damage.messages_in_a_row < kHopeless ? Outcome::failed : Outcome::broken;
}

bool EchoClient::conclude(State& state) {
  state.verifier.finish(context_, state.asked);
  return report(state);
}

EchoClient::Damage& EchoClient::damage_of(State& state) {
  if (!state.damage) state.damage = std::make_unique<Damage>();
  return *state.damage;
}

// True: some of it is wrong with a message that has not been judged yet.
bool EchoClient::report(State& state) {
  bool open = false;
  for (const Deviation& found : context_.found) {
    errors_.add(kind_of(found.kind), [&] {
      const auto [message, byte] = place(state, found.position);
      return fmt::format("connection {}, message {}, byte {}: {}", state.connection, message, byte,
                         explain(found));
    });
    Damage& damage = damage_of(state);
    const bool added = found.kind == DeviationKind::duplicate || found.kind == DeviationKind::extra;
    const bool too_many = added || found.kind == DeviationKind::foreign;
    if (too_many && found.position == damage.surplus) {
      damage.surplus = Damage::kNone;
      continue;
    }
    open = true;
    damage.end = found.position + (added ? 1 : found.length);
    const bool under_way = state.completed != state.begun;
    const std::uint64_t begin = state.due - (under_way ? size_of(state, state.completed) : 0);
    if (under_way && damage.end > begin && found.position < state.due) state.damaged = true;
  }
  context_.found.clear();
  return open;
}

std::pair<std::uint64_t, std::uint64_t> EchoClient::place(const State& state,
                                                          std::uint64_t position) const {
  if (sizes_.fixed() != 0) return {position / sizes_.fixed(), position % sizes_.fixed()};
  const bool under_way = state.completed != state.begun;
  std::uint32_t message = state.completed;
  std::uint64_t begin = state.due - (under_way ? size_of(state, message) : 0);
  while (message > 0 && position < begin) begin -= size_of(state, --message);
  while (message < state.begun && position >= begin + size_of(state, message)) {
    begin += size_of(state, message++);
  }
  return {message, position - begin};
}

std::string EchoClient::progress(const State& state) const {
  if (state.completed == state.begun) return fmt::format("after {} messages", state.completed);
  const std::uint32_t size = size_of(state, state.completed);
  const std::uint64_t begin = state.due - size;
  return fmt::format("message {}, {} of {} bytes received", state.completed,
                     state.verifier.reached() - std::min(begin, state.verifier.reached()), size);
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
