// Histograms as load generator and report write them.
#pragma once

#include "json/json.h"
#include "metrics/histogram.h"

namespace muxbench {

// Count, mean, min, max, and the percentiles that so many samples support, in nanoseconds.
Json distribution_json(const Histogram& histogram);
// The buckets in use: [lowest value, count] each.
Json buckets_json(const Histogram& histogram);
// Those, and to how many digits they are exact.
Json histogram_json(const Histogram& histogram);

}  // namespace muxbench
