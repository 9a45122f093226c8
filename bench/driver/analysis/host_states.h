// The speeds that the host had while a point was measured in slices. A shared host changes its speed
// in steps that last seconds, and some models gain or lose more by it than others.
#pragma once

#include <vector>

#include "analysis/point_fit.h"

namespace muxbench {

// A speed of the host.
struct HostSpeed {
  double log_cost = 0;           // the median of what a request costs
  std::vector<SliceKey> slices;  // those that it was measured in, ascending
};

// From the fastest; neighbours lie 15 % or more apart and have 3 slices or more. `costs` are the
// reference's, which rounds and blocks have in the order of time; not empty.
std::vector<HostSpeed> host_speeds(const SliceLogs& costs);

}  // namespace muxbench
