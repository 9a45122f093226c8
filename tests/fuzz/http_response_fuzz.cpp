// The load generator's HTTP: a response must be judged alike however it was cut into reads, and one
// that is taken for good must be good.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "client/http_client.h"
#include "input.h"

namespace muxbench::loadgen {
namespace {

using fuzz::expect;
using fuzz::Input;

struct Setting {
  std::size_t depth = 1;       // requests under way at the beginning; no more are made
  std::size_t connection = 0;  // decides which path comes first
};

struct Judgement {
  ErrorLog errors;
  std::vector<Outcome> outcomes;
};

const HttpSite& site() {
  static const HttpSite made = [] {
    HttpSite site = make_site({"/a", "/b", "/c"}, "x", 8);
    site[0].body = "hello";
    site[2].body = std::string(300, 'c');
    return site;
  }();
  return made;
}

// Whether the bytes are one response with this body, by a reading of its own.
void expect_good(std::string_view response, std::string_view body) {
  const std::size_t end = response.find("\r\n\r\n");
  expect(end != std::string_view::npos, "a head that ends");
  expect(response.substr(end + 4) == body, "the reference's body");
  expect(response.starts_with("HTTP/1.1 200 ") || response.starts_with("HTTP/1.0 200 "),
         "a status line with 200");
}

// Gives the client the text in pieces of these sizes, the last of them again and again.
Judgement play(const Setting& setting, std::string_view text, std::vector<std::size_t> sizes) {
  Judgement judgement;
  HttpClient client(site(), judgement.errors);
  HttpClient::State state;
  client.open(state, static_cast<std::uint32_t>(setting.connection), 0);
  for (std::size_t i = 0; i < setting.depth; ++i) client.begin(state);
  for (Outgoing out = client.outgoing(state); out.size() > 0; out = client.outgoing(state)) {
    client.sent(state, out.size());
  }
  std::size_t taken = 0;
  std::size_t begin = 0;  // of the response that comes
  std::size_t resource = setting.connection % site().size();
  for (std::size_t i = 0; taken < text.size(); ++i) {
    const std::size_t end = taken + sizes[std::min(i, sizes.size() - 1)];
    std::string_view piece = text.substr(0, end).substr(taken);
    while (!piece.empty()) {
      const Received got = client.receive(state, std::as_bytes(std::span(piece)));
      expect(got.consumed > 0 && got.consumed <= piece.size(), "a step, of bytes that are there");
      taken += got.consumed;
      piece.remove_prefix(got.consumed);
      if (got.outcome == Outcome::more) continue;
      judgement.outcomes.push_back(got.outcome);
      if (got.outcome == Outcome::succeeded || got.outcome == Outcome::finished) {
        expect_good(text.substr(begin, taken - begin), site()[resource].body);
      }
      if (got.outcome == Outcome::finished || got.outcome == Outcome::broken) return judgement;
      begin = taken;
      resource = (resource + 1) % site().size();
    }
  }
  expect(!client.progress(state).empty(), "words for what is under way");
  return judgement;
}

void expect_same(const Judgement& a, const Judgement& b) {
  for (std::size_t i = 0; i < kErrorKindNames.size(); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    expect(a.errors.count(kind) == b.errors.count(kind), "the same errors however it is cut");
  }
  // Bytes after the last response that was asked for spoil it only if they come with it.
  const std::size_t common = std::min(a.outcomes.size(), b.outcomes.size());
  const bool too_many = a.outcomes.size() != b.outcomes.size();
  const std::size_t alike = too_many && common > 0 ? common - 1 : common;
  expect(std::equal(a.outcomes.begin(), a.outcomes.begin() + static_cast<std::ptrdiff_t>(alike),
                    b.outcomes.begin()),
         "the same outcomes however it is cut");
  if (too_many) {
    expect(common > 0 && a.outcomes[common - 1] != b.outcomes[common - 1] &&
               (a.outcomes.back() == Outcome::broken && b.outcomes.back() == Outcome::broken),
           "bytes too many end both");
  }
}

void try_input(Input input) {
  const unsigned mode = input.byte();
  const Setting setting{.depth = 1 + mode % 8, .connection = mode / 8 % 4};
  const std::vector<std::size_t> cuts{input.number(1, 256), input.number(1, 256)};
  // Long heads, to reach their limit.
  std::string text(input.text());
  if (const std::size_t at = text.find('~'); mode >= 192 && at != std::string::npos) {
    text.replace(at, 1, 16'000, 'y');
  }
  const HttpHead head = parse_http_head(text);
  expect(!head.error.empty() || (head.status >= 0 && head.status <= 999), "a status or an error");
  const Judgement whole = play(setting, text, {text.size()});
  expect_same(whole, play(setting, text, cuts));
  if (text.size() < 1024) expect_same(whole, play(setting, text, {1}));
}

}  // namespace
}  // namespace muxbench::loadgen

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::loadgen::try_input({data, size});
  return 0;
}
