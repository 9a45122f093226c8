// Greet, the classic line server: says "Hello World!" to whoever connects, echoes one line, and
// closes.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "protocol/reaction.h"

namespace muxbench {

class Greet {
 public:
  static constexpr bool kUsesScratch = false;
  static constexpr std::string_view kGreeting = "Hello World!\r\n";
  // A longer line is cut here: the limit keeps what one client can make the server hold small.
  static constexpr std::size_t kLongestLine = 8192;

  Reaction open() noexcept {
    Reaction reaction;
    reaction.say(kGreeting);
    return reaction;
  }
  Reaction feed(std::span<const std::byte> input, std::span<std::byte>) noexcept {
    const std::size_t searched = std::min(input.size(), kLongestLine);
    const void* newline = std::memchr(input.data(), '\n', searched);
    std::size_t line = searched;
    if (newline != nullptr) {
      line = static_cast<std::size_t>(static_cast<const std::byte*>(newline) - input.data()) + 1;
    } else if (searched < kLongestLine) {
      return {};
    }
    const bool said_too_much = line < input.size() || newline == nullptr;
    Reaction reaction{.consumed = input.size(),
                      .after = said_too_much ? After::linger : After::close,
                      .answers_request = true};
    reaction.say(input.data(), line);
    return reaction;
  }
  void on_flushed() noexcept {}
};

}  // namespace muxbench
