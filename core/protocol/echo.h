// Echo: every byte comes back as it came. The input itself is the output, so nothing is copied.
#pragma once

#include <span>

#include "protocol/reaction.h"

namespace muxbench {

class Echo {
 public:
  static constexpr bool kUsesScratch = false;

  Reaction open() noexcept { return {}; }
  Reaction feed(std::span<const std::byte> input, std::span<std::byte>) noexcept {
    Reaction reaction{.consumed = input.size(), .answers_request = true};
    reaction.say(input.data(), input.size());
    return reaction;
  }
  void on_flushed() noexcept {}
};

}  // namespace muxbench
