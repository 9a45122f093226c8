// What the noise floor of a report says of the differences that were found.
#pragma once

#include "analysis/comparison.h"

namespace muxbench {

// Notes at each cell that is faster or slower whether this report's same server under two names was
// as far from itself, and remarks on the experiments where that is so. Verdicts stay as they are.
void note_noise_floor(Comparison& comparison, const MeasuredReport& report);

}  // namespace muxbench
