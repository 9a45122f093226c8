#include "analysis/verdict.h"

#include <algorithm>
#include <cmath>

#include "report/statistics.h"

namespace muxbench {
namespace {

double bonferroni(const Ratio& ratio, std::size_t comparisons) {
  return ratio.p * static_cast<double>(std::max<std::size_t>(comparisons, 1));
}

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::same:
      return "same";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::insufficient:
      return "insufficient";
    case Verdict::flagged:
      return "flagged";
    case Verdict::missing:
      return "missing";
    case Verdict::refused:
      return "refused";
    default:
      return "reference";
  }
}

char letter_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster:
      return 'f';
    case Verdict::slower:
      return 's';
    case Verdict::same:
      return '=';
    case Verdict::inconclusive:
      return '?';
    case Verdict::insufficient:
      return '-';
    case Verdict::flagged:
      return 'x';
    default:
      return '.';
  }
}

Decision decide(const Evidence& evidence, bool more_is_better, const VerdictRule& rule) {
  if (evidence.trials < rule.fewest_trials) return {Verdict::insufficient, false};
  const Ratio& ratio = evidence.ratio;
  Decision decision;
  decision.differs = evidence.p < rule.alpha && (!rule.trials_apart || evidence.apart) &&
                     std::max(ratio.ratio, 1 / ratio.ratio) > rule.noise_floor;
  const double margin = std::log1p(rule.margin);
  if (rule.margin > 0 && -std::log(ratio.low) <= margin && std::log(ratio.high) <= margin) {
    decision.verdict = Verdict::same;
  } else if (decision.differs) {
    decision.verdict = (ratio.ratio > 1) == more_is_better ? Verdict::faster : Verdict::slower;
  }
  return decision;
}

Verdict finding_verdict(const std::vector<double>& base, const std::vector<double>& now,
                        bool more_is_better, std::size_t comparisons, double noise_floor) {
  VerdictRule rule = kFindingRule;
  rule.noise_floor = noise_floor;
  const std::size_t trials = std::min(base.size(), now.size());
  if (trials < rule.fewest_trials) return Verdict::insufficient;
  const auto positive = [](double value) { return value > 0; };
  if (!std::all_of(base.begin(), base.end(), positive) ||
      !std::all_of(now.begin(), now.end(), positive)) {
    return Verdict::inconclusive;
  }
  const Ratio ratio = ratio_of(base, now);
  return decide({.trials = trials,
                 .ratio = ratio,
                 .p = bonferroni(ratio, comparisons),
                 .apart = !ranges_overlap(statistics_of(base), statistics_of(now))},
                more_is_better, rule)
      .verdict;
}

Verdict paired_finding_verdict(const Ratio& ratio, std::size_t blocks, bool more_is_better,
                               std::size_t comparisons, double noise_floor) {
  VerdictRule rule = kPairedFindingRule;
  rule.noise_floor = noise_floor;
  return decide({.trials = blocks, .ratio = ratio, .p = bonferroni(ratio, comparisons)},
                more_is_better, rule)
      .verdict;
}

}  // namespace muxbench
