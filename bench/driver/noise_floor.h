// How far a server was measured from itself: in each experiment one cell runs under a second name,
// too (docs/methodology.md). What differs by no more than that is no plain win.
#pragma once

#include <map>
#include <string>

#include "driver/json_reader.h"

namespace muxbench {

// By experiment and metric, the larger geometric mean over the smaller one: 1.03 for 3 % apart. Not
// the reach of its interval: what trials scatter by is in the interval of every comparison already.
class NoiseFloor {
 public:
  NoiseFloor() = default;
  explicit NoiseFloor(const Json& section);  // `muxbench` of a checked report

  double of(const std::string& experiment, const std::string& metric) const;  // 1 if not measured
  // Is this ratio of two servers, or its inverse, no larger?
  bool holds(const std::string& experiment, const std::string& metric, double ratio) const;

 private:
  std::map<std::string, std::map<std::string, double>> apart_;
};

}  // namespace muxbench
