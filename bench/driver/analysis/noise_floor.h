// How far a server was measured from itself: in each experiment one cell runs under a second name,
// too (docs/statistics.md). What differs by no more than that is no plain win.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "analysis/paired_slices.h"
#include "analysis/ratio.h"
#include "report/report.h"

namespace muxbench {

// One cell's metric, measured again under a second name.
struct TwinRatio {
  std::string cell;
  std::string experiment;
  std::string metric;
  std::size_t trials =
      0;  // of each name: further blocks of --target-ci have no twin; if `paired`, blocks
  bool paired = false;  // by slices
  Ratio ratio;          // of the second name's to the first's
};

// Whether to look at cells that must not be ranked: how far apart two overloads lie is no floor.
enum class Flagged { left_out, included };

// Of all cells with twin trials.
std::vector<TwinRatio> twin_ratios(const report::Report& report, const PairedSlices& slices,
                                   Flagged flagged = Flagged::left_out);

// As the report keeps them: of throughput alone, since readers take others from twin_trials.
std::vector<report::NoiseFloorEntry> noise_floor_entries(const std::vector<TwinRatio>& twins);

// By experiment and metric, the larger geometric mean over the smaller one: 1.03 for 3 % apart. Not
// the reach of its interval: what trials scatter by is in the interval of every comparison already.
class NoiseFloor {
 public:
  NoiseFloor() = default;
  explicit NoiseFloor(const std::vector<TwinRatio>& twins);

  double of(const std::string& experiment, const std::string& metric) const;  // 1 if not measured
  // Is this ratio of two servers, or its inverse, no larger?
  bool holds(const std::string& experiment, const std::string& metric, double ratio) const;

 private:
  std::map<std::string, std::map<std::string, double>> apart_;
};

}  // namespace muxbench
