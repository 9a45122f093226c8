#include "client/pattern.h"

#include <algorithm>
#include <cstring>

namespace muxbench::loadgen {
namespace {

// Primes: the short one keeps the table within a second-level cache, the long one exceeds 1 MiB,
// the largest message.
constexpr std::uint32_t kShortPeriod = 262'139;
constexpr std::uint32_t kLongPeriod = 1'048'583;

}  // namespace

Pattern::Pattern(std::size_t longest_slice, Alphabet alphabet)
    : period_(longest_slice < kShortPeriod ? kShortPeriod : kLongPeriod),
      bytes_(period_ + longest_slice) {
  for (std::size_t i = 0; i < period_; i += 8) {
    const std::uint64_t word = mix(i);
    std::memcpy(&bytes_[i], &word, std::min<std::size_t>(8, period_ - i));
  }
  if (alphabet == Alphabet::printable) {
    for (std::byte& byte : bytes_) {
      byte = static_cast<std::byte>('!' + static_cast<unsigned>(byte) % ('~' - '!' + 1));
    }
  }
  std::memcpy(&bytes_[period_], bytes_.data(), longest_slice);
}

std::uint32_t Pattern::start_of(std::uint32_t connection,
                                std::uint32_t incarnation) const noexcept {
  return static_cast<std::uint32_t>(mix(std::uint64_t{incarnation} << 32 | connection) % period_);
}

std::optional<std::uint32_t> Pattern::find(std::span<const std::byte> bytes) const noexcept {
  const void* found = ::memmem(bytes_.data(), bytes_.size(), bytes.data(), bytes.size());
  if (found == nullptr) return std::nullopt;
  const auto offset = static_cast<const std::byte*>(found) - bytes_.data();
  return static_cast<std::uint32_t>(offset % period_);
}

}  // namespace muxbench::loadgen
