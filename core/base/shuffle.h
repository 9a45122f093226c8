// A random order that a seed gives again, whatever the standard library: std::shuffle and the
// standard distributions differ between libraries.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <utility>

namespace muxbench {

// Fisher and Yates over a generator that the C++ standard fixes.
template <typename T>
void shuffle(std::span<T> items, std::mt19937_64& generator) {
  for (std::size_t left = items.size(); left > 1; --left) {
    // Numbers above the last whole multiple are drawn again, so every order is equally likely.
    const std::uint64_t limit = generator.max() - generator.max() % left;
    std::uint64_t drawn = generator();
    while (drawn >= limit) drawn = generator();
    std::swap(items[left - 1], items[drawn % left]);
  }
}

}  // namespace muxbench
