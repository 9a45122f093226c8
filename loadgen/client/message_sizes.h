// How large the messages of a run are: one size, or a distribution. The size of message n of a
// connection is a function of both numbers, so sender and verifier agree without storing it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muxbench::loadgen {

class MessageSizes {
 public:
  static constexpr std::uint32_t kLargest = 1024 * 1024;

  MessageSizes(std::uint32_t fixed) : fixed_(fixed), largest_(fixed) {}  // NOLINT: implicit

  // "64", "64-1024" (each size alike), "64*90,4KiB*9,1MiB" (weights; 1 when left out).
  static Result<MessageSizes> parse(std::string_view text);

  std::uint32_t size(std::uint32_t connection, std::uint32_t message) const noexcept {
    return fixed_ != 0 ? fixed_ : draw(connection, message);
  }
  std::uint32_t fixed() const noexcept { return fixed_; }  // 0: they differ
  std::uint32_t largest() const noexcept { return largest_; }
  std::uint32_t smallest() const noexcept;
  std::uint32_t mean() const noexcept;
  std::string to_string() const;

 private:
  struct Range {
    std::uint32_t least = 0;
    std::uint32_t most = 0;
    double up_to = 0;  // the share of messages that are of this range or one before
    double weight = 1;
  };

  std::uint32_t draw(std::uint32_t connection, std::uint32_t message) const noexcept;

  std::uint32_t fixed_;
  std::uint32_t largest_;
  std::vector<Range> ranges_;
};

}  // namespace muxbench::loadgen
