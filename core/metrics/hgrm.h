// A histogram in the text form of HdrHistogram.
#pragma once

#include <string>

#include "metrics/histogram.h"

namespace muxbench {

// The percentile distribution in the text form of HdrHistogram (hdrhistogram.org), which its plotter
// reads; values in milliseconds. Five lines for each halving of the distance to 100 %.
std::string to_hgrm(const Histogram& histogram);

}  // namespace muxbench
