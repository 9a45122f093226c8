// The load generator's greet: only greeting, line and end make a good exchange, however they were
// cut into reads.
#include <string>
#include <vector>

#include "client/greet_client.h"
#include "input.h"

namespace muxbench::loadgen {
namespace {

using fuzz::expect;
using fuzz::Input;

struct Judgement {
  Outcome outcome = Outcome::more;
  ErrorLog errors;
};

const Pattern& pattern() {
  static const Pattern table(4096, Pattern::Alphabet::printable);
  return table;
}

std::string line_of(std::uint32_t line_bytes) {
  ErrorLog errors;
  GreetClient client(pattern(), line_bytes, errors);
  GreetClient::State state;
  client.open(state, 17, 42);
  client.receive(state, std::as_bytes(std::span(GreetClient::kGreeting)));
  std::string line;
  const Outgoing out = client.outgoing(state);
  for (const iovec& piece : out.pieces()) {
    line.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  expect(line.size() == line_bytes && line.ends_with("\r\n"), "a line of the length asked for");
  expect(line.find('\n') == line.size() - 1, "one line");
  return line;
}

// Reads of `size` bytes, and the end.
Judgement play(std::uint32_t line_bytes, std::string_view text, std::size_t size) {
  Judgement judgement;
  GreetClient client(pattern(), line_bytes, judgement.errors);
  GreetClient::State state;
  client.open(state, 17, 42);
  client.begin(state);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, size);
    const Received got = client.receive(state, std::as_bytes(std::span(piece)));
    expect(got.consumed == piece.size(), "all bytes taken");
    judgement.outcome = got.outcome;
    if (got.outcome != Outcome::more) return judgement;
    text.remove_prefix(piece.size());
  }
  judgement.outcome = client.end_of_stream(state);
  return judgement;
}

void try_input(Input input) {
  const auto line_bytes = static_cast<std::uint32_t>(input.number(3, 200));
  const std::string right = std::string(GreetClient::kGreeting) + line_of(line_bytes);
  const unsigned lie = input.byte() % 4;
  const std::size_t at = input.number(0, right.size() - 1);
  const std::size_t cut = input.number(1, 64);
  std::string text = right;
  if (lie == 1) text.resize(at);
  if (lie == 2) text.replace(at, std::min(text.size() - at, input.text().size()), input.text());
  if (lie == 3) text.insert(at, input.text());
  if (lie == 0) text += input.text();
  const bool good = text == right;
  for (const std::size_t size : {text.size() + 1, cut, std::size_t{1}}) {
    const Judgement judgement = play(line_bytes, text, size);
    expect((judgement.outcome == Outcome::finished) == good, "a good end for what is right only");
    const bool wrong_bytes = !std::string_view(right).starts_with(text);
    expect((judgement.errors.total() > 0) == wrong_bytes, "errors for wrong bytes only");
  }
}

}  // namespace
}  // namespace muxbench::loadgen

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::loadgen::try_input({data, size});
  return 0;
}
