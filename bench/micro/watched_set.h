// N pairs of connected descriptors, of which any K can be made readable: the scenery of the waiting
// benchmarks.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

enum class Pairs { socketpair, pipe };

class WatchedSet {
 public:
  explicit WatchedSet(Pairs kind) : kind_(kind) {}

  // Opens what is missing. The descriptors to watch get the lowest numbers that are free, because
  // select(2) takes none above 1023; their partners are moved out of the way. Fails when the
  // descriptor limit is too low.
  Result<> resize(std::size_t count);

  Pairs kind() const noexcept { return kind_; }
  std::span<const UniqueFd> watched() const noexcept { return {watched_.data(), count_}; }

  // Makes `ready` of them readable, spread evenly over the set, or reads those empty again.
  void fill(std::size_t ready) const;
  void drain(std::size_t ready) const;

 private:
  std::size_t position(std::size_t i, std::size_t ready) const noexcept {
    return i * count_ / ready;
  }

  Pairs kind_;
  std::size_t count_ = 0;  // of those open, the first ones
  std::vector<UniqueFd> watched_;
  std::vector<UniqueFd> partners_;
};

// A set for the benchmark that runs now, made from what the one before left open: opening thousands
// of pairs takes longer than watching them. It lives until the next call.
Result<const WatchedSet*> borrow_set(Pairs kind, std::size_t count);
void close_borrowed_set();

}  // namespace muxbench
