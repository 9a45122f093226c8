// What the servers of one point cost beside each other, from slices that they took in turns.
//
// The logarithm of each slice is that of its server, plus what the host's speed did to its block, plus
// noise. Servers and blocks are fitted in turns with 30 % trimmed means, so that a slice that somebody
// disturbed counts for little. The fit knows the speed of a block from all servers of the point, and
// the noise of a slice from all blocks: a pair of servers alone has 4 to 20 differences in a round, of
// which a trimmed mean keeps half.
//
// A ratio is the difference of two servers. Its variance has two parts for each of them: that of the
// trimmed means within rounds (Tukey and McLaughlin 1963, by winsorized squares), drawn towards the
// median over servers, and that between instances of the same program, which differ by a fraction of a
// per cent from round to round. Two to four rounds tell little of the latter, so it is estimated for
// all servers together and each server's own value is drawn towards that.
// tests/unit/driver/point_fit_test.cpp holds the intervals to their level.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "analysis/ratio.h"

namespace muxbench {

// Slices of one point with the same key were measured side by side.
struct SliceKey {
  std::uint64_t round = 0;
  std::uint64_t block = 0;
  friend auto operator<=>(const SliceKey&, const SliceKey&) = default;
};

struct SliceLog {
  SliceKey at;
  double log = 0;
};
using SliceLogs = std::vector<SliceLog>;  // of one server and metric, keys ascending

struct PairedRatio {
  LogEstimate log;
  std::size_t blocks = 0;  // of the side that has fewer, in rounds with blocks enough
};

class PointFit {
 public:
  PointFit() = default;
  // One for each server; one without slices takes no part.
  explicit PointFit(std::vector<SliceLogs> servers);

  // Of the mean of the servers `now` to the mean of the servers `base`, by their places. A server
  // counts if it has 3 blocks of a round in common with others. Nothing where a side has no such server.
  // Exactly antisymmetric: swapped sides give the negative mean and the same variance.
  std::optional<PairedRatio> ratio(std::span<const std::size_t> base,
                                   std::span<const std::size_t> now) const;

  // The same fit to these blocks alone.
  PointFit only(const std::set<SliceKey>& blocks) const;

 private:
  struct Effect {
    LogEstimate log;
    std::size_t blocks = 0;
    std::size_t rounds = 0;
  };

  std::optional<Effect> mean_of(std::span<const std::size_t> servers) const;

  std::vector<SliceLogs> servers_;
  std::vector<std::optional<Effect>> effects_;  // by server
};

}  // namespace muxbench
