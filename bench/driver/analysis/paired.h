// How much larger one cell is than another of the same point, from slices that were measured side by
// side: whatever changes the host's speed changes both slices of a block, and cancels.
//
// For each round the differences of logarithms, block by block, have a 20 % trimmed mean and the
// variance of that (Yuen 1974). The estimate is the mean over rounds. Its variance is that of the
// trimmed means and that between instances of the same program, which differ by a fraction of a per
// cent from round to round. Two to four rounds tell little of the latter, so it is estimated for all
// models of a point together and each pair's own value is drawn towards that.
// tests/unit/driver/paired_test.cpp holds the intervals to their level.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
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
using SliceLogs = std::vector<SliceLog>;  // of one cell and metric, keys ascending

struct PairedRatio {
  LogEstimate log;
  std::size_t blocks = 0;  // that both cells have, in rounds with blocks enough
};

// The variance between instances of a pair of a point's cells: what a cell's rounds vary by beyond the
// noise within rounds and the speed of the host, which all cells have in common. It is twice the
// median over cells, as some models vary far more than most, and over a few values of what was once
// measured of many programs, which is all that counts where there is but one round.
double instance_variance(std::span<const SliceLogs* const> cells);

// Of `now` to `base`. Nothing where no round has 3 blocks in common. Exactly antisymmetric: swapped
// sides give the negative mean and the same variance.
std::optional<PairedRatio> paired_ratio(const SliceLogs& base, const SliceLogs& now,
                                        double instance_variance);

}  // namespace muxbench
