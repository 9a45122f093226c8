// How much larger one sample is than another: the ratio of their geometric means, with Welch's t
// interval on logarithms.
//
// Why not a percentile bootstrap: over 5 to 10 trials it is too narrow. The proof is in
// tests/unit/driver/ratio_test.cpp, the numbers in docs/methodology.md.
#pragma once

#include <cstddef>
#include <vector>

namespace muxbench {

struct Ratio {
  double ratio = 1;  // of the second sample to the first
  double low = 0;    // of the 95 % confidence interval
  double high = 0;
  double p = 1;  // two-sided, of "they are the same"
};

// Two or more values each, all above 0; their order does not matter. Exactly antisymmetric:
// swapping the samples inverts ratio and interval and keeps p.
Ratio ratio_of(std::vector<double> base, std::vector<double> now);

enum class Correction { holm, benjamini_hochberg };

// p-values corrected for being many, in the order given. Holm bounds the chance of any false
// rejection, Benjamini-Hochberg the expected share of false ones among the rejections.
std::vector<double> adjusted(const std::vector<double>& p, Correction correction);

}  // namespace muxbench
