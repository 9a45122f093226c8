// The bytes that a load generator sends and expects back: one table of random bytes, read in a
// circle. Every connection starts at its own offset, so its stream is a long random sequence that
// costs no memory, is sent straight from the table and is checked with memcmp. Any 8 bytes occur
// at one place only (but for a chance of 1 in 10^9), so stray bytes tell where they belong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace muxbench::loadgen {

class Pattern {
 public:
  enum class Alphabet : std::uint8_t { binary, printable };

  // Slices of up to `longest_slice` bytes are contiguous. The period is a prime, so it never keeps
  // step with a message size, and longer than a slice, so no slice repeats within itself.
  explicit Pattern(std::size_t longest_slice, Alphabet alphabet = Alphabet::binary);

  std::uint32_t period() const noexcept { return period_; }
  std::size_t longest_slice() const noexcept { return bytes_.size() - period_; }

  // Where the stream of a connection starts; each reopening of it (`incarnation`) starts elsewhere.
  std::uint32_t start_of(std::uint32_t connection, std::uint32_t incarnation) const noexcept;

  std::uint32_t advance(std::uint32_t offset, std::uint64_t by) const noexcept {
    return static_cast<std::uint32_t>((offset + by) % period_);
  }
  // The same for steps of at most one period, without the division.
  std::uint32_t step(std::uint32_t offset, std::size_t by) const noexcept {
    const std::size_t next = offset + by;
    return static_cast<std::uint32_t>(next < period_ ? next : next - period_);
  }

  const std::byte* at(std::uint32_t offset) const noexcept { return bytes_.data() + offset; }

  // The offset at which `bytes` are found.
  std::optional<std::uint32_t> find(std::span<const std::byte> bytes) const noexcept;

 private:
  std::uint32_t period_;
  std::vector<std::byte> bytes_;  // one period, and its beginning again
};

// splitmix64 (Steele, Lea, Flood 2014): a good 64-bit hash of consecutive numbers.
inline std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

}  // namespace muxbench::loadgen
