// A result as tables for other tools.
#pragma once

#include <string>
#include <vector>

#include "loadgen/result.h"

namespace muxbench::loadgen {

// The percentile distribution in the text form of HdrHistogram (hdrhistogram.org), which its plotter
// reads; values in milliseconds. Five lines for each halving of the distance to 100 %.
std::string to_hgrm(const Histogram& histogram);

// A line of names, then one for each run, so that several files are one table without their first
// lines. What was not measured is empty.
std::string to_csv(const std::vector<Step>& steps);

}  // namespace muxbench::loadgen
