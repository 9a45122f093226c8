// What every fuzz target uses: the fuzzer's bytes taken apart, and expectations.
//
// A target is one function, LLVMFuzzerTestOneInput. libFuzzer calls it with bytes that it makes up
// (tests/fuzz.sh), and replay.cpp with those of the committed corpus, as a test of every build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace muxbench::fuzz {

// Decisions are taken from the end of the bytes, so that text stays together at their beginning.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}

  bool empty() const noexcept { return size_ == 0; }
  // 0 when there are none left: whoever loops over decisions must come to an end with zeros.
  unsigned byte() noexcept { return size_ == 0 ? 0 : data_[--size_]; }
  std::size_t number(std::size_t least, std::size_t most) noexcept {
    std::size_t drawn = 0;
    for (std::size_t range = most - least; range != 0; range >>= 8) drawn = drawn << 8 | byte();
    return least + drawn % (most - least + 1);
  }
  // All that is left.
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

inline void expect(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "expected: %s\n", what);
  std::abort();
}

}  // namespace muxbench::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
