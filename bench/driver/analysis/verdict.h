// What two samples of trials allow to be said of each other. This is the only place that decides it:
// comparisons, findings and the page's tables all ask here.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/ratio.h"

namespace muxbench {

// Direction-aware: "faster" is more throughput, or less latency, CPU time or memory.
enum class Verdict {
  faster,
  slower,
  same,          // by equivalence: the interval lies inside the margin
  inconclusive,  // neither different nor the same, as far as these trials can tell
  insufficient,  // too few trials on a side
  flagged,       // a side has validity flags
  missing,       // not measured on a side
  refused,       // measured under other conditions
  reference,     // what all others are compared with
};
const char* to_string(Verdict verdict);
char letter_of(Verdict verdict);  // in report::VerdictTable

struct VerdictRule {
  std::size_t fewest_trials;  // on each side
  double alpha = 0.05;
  double margin = 0;       // "same" is an interval inside it; 0: nothing is ever the same
  double noise_floor = 1;  // a ratio no larger than this, or its inverse, is no difference
  bool trials_apart =
      false;  // a difference also needs all trials of one side beyond all of the other
};

// `muxbench compare` and the page, where a reader looks at any two cells.
inline constexpr VerdictRule kCompareRule{.fewest_trials = 4};
// Findings, which name the most striking of many differences by themselves.
inline constexpr VerdictRule kFindingRule{.fewest_trials = 3, .trials_apart = true};

// Findings from pairs of slices: the blocks of two cells overlap whatever these differ by.
inline constexpr VerdictRule kPairedFindingRule{.fewest_trials = 3};

struct Evidence {
  std::size_t trials = 0;  // of the side that has fewer; of pairs of slices, blocks
  Ratio ratio;             // of the new side to the base
  double p = 1;            // of the ratio, corrected for the number of comparisons made
  bool apart = false;      // every trial of one side lies beyond every trial of the other
};

struct Decision {
  Verdict verdict = Verdict::inconclusive;  // on the new side
  bool differs = false;                     // significantly, by whatever small amount
};

Decision decide(const Evidence& evidence, bool more_is_better, const VerdictRule& rule);

// By the rule of findings, for one of so many comparisons (Bonferroni). 0 among the values: nothing
// is said.
Verdict finding_verdict(const std::vector<double>& base, const std::vector<double>& now,
                        bool more_is_better, std::size_t comparisons, double noise_floor);

// The same from pairs of slices, of so many blocks.
Verdict paired_finding_verdict(const Ratio& ratio, std::size_t blocks, bool more_is_better,
                               std::size_t comparisons, double noise_floor);

}  // namespace muxbench
