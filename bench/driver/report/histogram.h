// Histograms as a report keeps them.
#pragma once

#include "json/json.h"

namespace muxbench {

// Merges the buckets of every histogram in a load generator's result to 2 significant digits (at
// most 1/128 of their value wide), which makes a report a third as large; trials differ by more.
// Percentiles stand beside the histogram with all 3 digits.
void coarsen_histograms(Json& load);

}  // namespace muxbench
