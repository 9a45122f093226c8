// N pairs of connected descriptors, of which any K can be made readable: the scenery of the waiting
// benchmarks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

enum class Pairs { socketpair, pipe };

class WatchedSet {
 public:
  // The descriptors to watch get the lowest numbers that are free, because select(2) takes none
  // above 1023; their partners are moved out of the way. Fails when the descriptor limit is too
  // low.
  static Result<WatchedSet> make(Pairs kind, std::size_t count);

  const std::vector<UniqueFd>& watched() const noexcept { return watched_; }

  // Makes `ready` of them readable, spread evenly over the set, or reads those empty again.
  void fill(std::size_t ready) const;
  void drain(std::size_t ready) const;

 private:
  std::size_t position(std::size_t i, std::size_t ready) const noexcept {
    return i * watched_.size() / ready;
  }

  std::vector<UniqueFd> watched_;
  std::vector<UniqueFd> partners_;
};

}  // namespace muxbench
