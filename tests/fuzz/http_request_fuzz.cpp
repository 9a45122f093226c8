// The server's HTTP: bytes that crash it, read out of bounds, reach a site with a path that it must
// not see, or are judged by how they arrived.
#include <string>

#include "input.h"
#include "protocol/http.h"

namespace muxbench {
namespace {

using fuzz::expect;

class NoSite final : public Site {
 public:
  LookupResult find(std::string_view path) noexcept override {
    // What every site may rely on.
    const std::string framed = std::string(path) + "/";
    expect(path.starts_with('/'), "a path that begins with a slash");
    expect(path.find('\0') == std::string_view::npos, "a path without NUL");
    expect(framed.find("/../") == std::string::npos, "a path without a segment ..");
    return {};
  }
  std::string_view date() noexcept override { return "Sun, 06 Nov 1994 08:49:37 GMT"; }
};

struct Verdict {
  http::Status status;
  std::size_t size;
  bool operator==(const Verdict&) const = default;
};

Verdict parse(std::string_view text, std::size_t first) {
  std::uint64_t saved = http::Parser().save();
  for (const std::size_t size : {first, text.size()}) {
    http::Parser parser(saved);
    const http::Status status = parser.parse(text.substr(0, size));
    if (status == http::Status::ok) return {status, parser.head_size()};
    if (status != http::Status::needs_more) return {status, 0};
    saved = parser.save();
    expect(saved % 2 == 1, "a saved word that is odd");
  }
  return {http::Status::needs_more, 0};
}

void expect_whole_head(std::string_view text, std::size_t size) {
  const std::size_t start = text.starts_with("\r\n") ? 2 : 0;
  expect(text.find("\r\n\r\n", start) + 4 == size, "a head that ends with its first empty line");
  expect(size <= http::kLongestHead, "a head within the limit");
}

void try_input(std::string_view text) {
  const Verdict whole = parse(text, text.size());
  if (whole.status == http::Status::ok) expect_whole_head(text, whole.size);
  for (std::size_t i = 0; i <= 16; ++i) {
    expect(parse(text, text.size() * i / 16) == whole, "one verdict wherever the bytes are cut");
  }
  NoSite site;
  Http protocol(site);
  static std::byte scratch[http::kLongestHead];
  const std::size_t size = std::min(text.size(), sizeof(scratch));
  const Reaction reaction = protocol.feed(std::as_bytes(std::span(text.data(), size)), scratch);
  expect(reaction.consumed <= size, "no more consumed than there is");
  protocol.on_flushed();
}

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::try_input(muxbench::fuzz::Input(data, size).text());
  return 0;
}
