// How much larger one sample is than another: the ratio of their geometric means, with Welch's t
// interval on logarithms.
//
// Why not a percentile bootstrap: over 5 to 10 trials it is too narrow. The proof is in
// tests/unit/driver/ratio_test.cpp, the numbers in docs/evidence/.
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

// A logarithm, as far as it is known.
struct LogEstimate {
  double mean = 0;
  double variance = 0;  // of the mean
  double freedom = 0;   // degrees, of Student's t
};

// Of independent estimates: a - b, with the degrees of freedom of Welch and Satterthwaite.
LogEstimate difference(const LogEstimate& a, const LogEstimate& b);

// The interval holds with 95 % confidence, or with that for as many ratios at once.
Ratio to_ratio(const LogEstimate& log, std::size_t comparisons = 1);

// Two or more values each, all above 0; their order does not matter. Exactly antisymmetric:
// swapping the samples inverts ratio and interval and keeps p.
Ratio ratio_of(std::vector<double> base, std::vector<double> now);

enum class Correction { holm, benjamini_hochberg };

// p-values corrected for being many, in the order given. Holm bounds the chance of any false
// rejection, Benjamini-Hochberg the expected share of false ones among the rejections.
std::vector<double> adjusted(const std::vector<double>& p, Correction correction);

}  // namespace muxbench
