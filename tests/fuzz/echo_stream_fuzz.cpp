// The load generator's echo: a stream made of right bytes and of lies, in an order that the input
// chooses. Wrong bytes never pass, right ones are never blamed, and what is found does not depend on
// how the stream was cut into reads.
#include <algorithm>
#include <vector>

#include "client/echo_client.h"
#include "input.h"

namespace muxbench::loadgen {
namespace {

using fuzz::expect;
using fuzz::Input;
using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kConnection = 3;
constexpr std::uint32_t kOther = 5;
constexpr std::size_t kLongestStream = 6000;
constexpr std::uint64_t kMoreAsked =
    2000;                               // than the stream has, so that what it leaves out was too
constexpr std::uint32_t kPipeline = 4;  // decides how far back bytes are the stream's own past

const Pattern& pattern() {
  static const Pattern table(4096);
  return table;
}

Bytes slice(std::uint32_t connection, std::uint64_t from, std::size_t count) {
  const std::byte* at = pattern().at(pattern().advance(pattern().start_of(connection, 0), from));
  return {at, at + count};
}

// One piece of the stream, which so far has come to `position`.
Bytes piece_of(Input& input, std::uint64_t& position) {
  const unsigned kind = input.byte() % 8;
  const std::size_t count = input.number(1, input.byte() % 4 == 0 ? 1000 : 40);
  Bytes piece = slice(kConnection, position, count);
  switch (kind) {
    case 1:  // a wrong byte
      piece[input.number(0, count - 1)] ^= static_cast<std::byte>(1 + input.byte() % 255);
      break;
    case 2:  // left out
      position += count;
      return {};
    case 3:  // once more
      position -= std::min<std::uint64_t>(position, count);
      return {};
    case 4:  // of another connection, instead
      piece = slice(kOther, position, count);
      break;
    case 5:  // of another connection, too
      return slice(kOther, position, count);
    case 6:  // of nobody, instead
      for (std::byte& byte : piece) byte = static_cast<std::byte>(input.byte());
      break;
    case 7:  // of nobody, too
      for (std::byte& byte : piece) byte = static_cast<std::byte>(input.byte());
      return piece;
    default:
      break;
  }
  position += count;
  return piece;
}

Bytes stream_of(Input& input) {
  Bytes stream;
  std::uint64_t position = 0;
  for (int pieces = 0; !input.empty() && pieces < 24; ++pieces) {
    const Bytes piece = piece_of(input, position);
    stream.insert(stream.end(), piece.begin(), piece.end());
  }
  stream.resize(std::min(stream.size(), kLongestStream));
  return stream;
}

bool is_right(std::span<const std::byte> stream) {
  constexpr std::size_t kStep = 1000;  // that slices may have
  for (std::size_t at = 0; at < stream.size(); at += kStep) {
    const auto part = stream.subspan(at, std::min(kStep, stream.size() - at));
    if (!std::ranges::equal(part, slice(kConnection, at, part.size()))) return false;
  }
  return true;
}

struct Judgement {
  ErrorLog errors;
  std::vector<Outcome> outcomes;
  std::size_t taken = 0;
};

// All that comes has been asked for before: what else comes too early is judged by when it comes.
Judgement play(const MessageSizes& sizes, std::span<const std::byte> stream,
               std::vector<std::size_t> cuts) {
  Judgement judgement;
  EchoClient::State other;
  const EchoClient* owner = nullptr;
  EchoClient client(
      pattern(), sizes, judgement.errors,
      [&](std::uint32_t offset) -> std::optional<std::uint32_t> {
        if (owner->covers(other, offset)) return kOther;
        return {};
      },
      kPipeline);
  owner = &client;
  client.open(other, kOther, 0);
  client.begin(other);
  EchoClient::State state;
  client.open(state, kConnection, 0);
  while (state.asked < stream.size() + kMoreAsked) client.begin(state);
  for (Outgoing out = client.outgoing(state); out.size() > 0; out = client.outgoing(state)) {
    client.sent(state, out.size());
  }
  // Whether the connection is given up, which is concluded as its end is.
  const auto is_over = [&](const Received& got) {
    if (got.outcome == Outcome::more) return false;
    judgement.outcomes.push_back(got.outcome);
    if (got.outcome == Outcome::succeeded || got.outcome == Outcome::failed) return false;
    client.conclude(state);
    return true;
  };
  for (std::size_t i = 0; judgement.taken < stream.size(); ++i) {
    const std::size_t left = stream.size() - judgement.taken;
    auto piece =
        stream.subspan(judgement.taken, std::min(left, cuts[std::min(i, cuts.size() - 1)]));
    while (!piece.empty()) {
      Received got = client.receive(state, piece);
      expect(got.consumed <= piece.size(), "no more taken than there is");
      expect(got.consumed > 0 || got.outcome != Outcome::more, "a step");
      judgement.taken += got.consumed;
      piece = piece.subspan(got.consumed);
      if (is_over(got)) return judgement;
      while (client.more_complete(state)) {
        got = client.receive(state, {});
        if (is_over(got)) return judgement;
      }
    }
  }
  expect(!client.progress(state).empty(), "words for what is under way");
  client.conclude(state);
  return judgement;
}

void expect_same(const Judgement& a, const Judgement& b) {
  for (std::size_t i = 0; i < kErrorKindNames.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    expect(a.errors.count(kind) == b.errors.count(kind), "the same errors however it is cut");
  }
  expect(a.outcomes == b.outcomes, "the same outcomes however it is cut");
  expect(a.taken == b.taken, "the same bytes taken however it is cut");
}

MessageSizes sizes_of(unsigned choice) {
  switch (choice % 5) {
    case 0:
      return 64U;
    case 1:
      return 1U;
    case 2:
      return 1000U;
    case 3:
      return *MessageSizes::parse("1-200");
    default:
      return *MessageSizes::parse("4*9,700");
  }
}

void try_input(Input input) {
  const unsigned mode = input.byte();
  const MessageSizes sizes = sizes_of(mode);
  const std::vector<std::size_t> cuts{input.number(1, 256), input.number(1, 32)};
  const Bytes stream = stream_of(input);
  const Judgement whole = play(sizes, stream, {stream.size()});
  if (is_right(stream)) {
    expect(whole.errors.total() == 0, "no error in a stream that is right");
    expect(whole.taken == stream.size(), "all of a stream that is right");
  } else {
    expect(whole.errors.total() > 0, "an error in a stream that is wrong");
  }
  expect_same(whole, play(sizes, stream, cuts));
  expect_same(whole, play(sizes, stream, {1}));
}

}  // namespace
}  // namespace muxbench::loadgen

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::loadgen::try_input({data, size});
  return 0;
}
