// Looks for bytes that make the HTTP protocol crash, read out of bounds, or judge a request by how
// it arrived. With libFuzzer (clang++ -fsanitize=fuzzer,address,undefined) it searches; built with
// -DMUXBENCH_FUZZ_STANDALONE it runs over the files that its command line names.
#include <cstdlib>
#include <cstring>
#include <string>

#include "protocol/http.h"

namespace muxbench {
namespace {

class NoSite final : public Site {
 public:
  LookupResult find(std::string_view path) noexcept override {
    // What every site may rely on.
    const std::string framed = std::string(path) + "/";
    if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos ||
        framed.find("/../") != std::string::npos) {
      std::abort();
    }
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
  }
  return {http::Status::needs_more, 0};
}

void try_input(std::string_view text) {
  const Verdict whole = parse(text, text.size());
  for (std::size_t i = 0; i <= 16; ++i) {
    if (parse(text, text.size() * i / 16) != whole) std::abort();
  }
  NoSite site;
  Http protocol(site);
  static std::byte scratch[http::kLongestHead];
  if (text.size() <= sizeof(scratch)) {
    protocol.feed(std::as_bytes(std::span(text)), scratch);
    protocol.on_flushed();
  }
}

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::try_input({reinterpret_cast<const char*>(data), size});
  return 0;
}

#ifdef MUXBENCH_FUZZ_STANDALONE
#include <fstream>
#include <iterator>

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    muxbench::try_input(text);
  }
}
#endif
