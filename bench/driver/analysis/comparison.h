// The comparison of two reports, or of two models within one: cell by cell a ratio with its
// interval, and a verdict only where the trials support one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/measured_report.h"
#include "analysis/ratio.h"
#include "analysis/verdict.h"

namespace muxbench {

// "same" is decided for each cell by itself: two one-sided tests at 2.5 %, which is that the 95 %
// interval lies inside the margin, not corrected for the number of cells. "faster" and "slower" are
// corrected, since the most striking of many differences is what readers pick; a sameness is claimed
// of its own cell, and is wrong in at most 2.5 % of the cells that differ by the margin or more
// (docs/statistics.md, "Many cells, many chances").

struct CompareSettings {
  double margin = 0.02;  // the same: between 1/1.02 and 1.02
  double alpha = 0.05;
  Correction correction = Correction::holm;
  bool across_hosts = false;
  std::vector<std::string> metrics;  // empty: what answers each experiment
};

struct CellComparison {
  std::string cell;  // "epoll_level/idle/idle:0/connections:100", without the model in a comparison
                     // of two
  std::string experiment;
  std::string metric;
  bool more_is_better = true;
  Verdict verdict = Verdict::missing;
  std::string reason;           // of a verdict that is none, or that is no plain one
  std::size_t base_trials = 0;  // the ratio takes the first of each side, as many as both have
  std::size_t new_trials = 0;
  bool paired = false;  // by slices: these counts are blocks
  // What is judged: of new to base, with 2 trials on each side or more. Between reports with slices
  // it is of two ratios, each to `reference` in its own report: (new/new_ref)/(base/base_ref).
  std::optional<Ratio> ratio;
  std::string reference;  // a model; empty where the ratio is to nothing but the base
  // Between reports with slices: of new to base over rounds. It holds what the host's speed changed by.
  std::optional<Ratio> absolute;
  // Where trials could decide; flagged, refused and insufficient cells are not of the family.
  std::optional<double> adjusted_p;
  bool differs = false;  // significantly, by whatever small amount
  // The base measured this cell, though perhaps not this metric, or would have if its run had not
  // ended early.
  bool base_counts = true;
  // Withheld, and compared because it answers the experiment and not because someone named it: no
  // regression can hide in what its report does not tell, and CPU time is compared beside it.
  bool passed_over = false;
  // The reports in which the same server under two names was as far from itself (noise_floor.h).
  std::vector<std::string> inside_noise_floor_of;
};

struct Comparison {
  std::string base;  // what is compared, for headings
  std::string now;
  CompareSettings settings;
  std::vector<std::string> differences;  // of the conditions: "host: kernel: ... against ..."
  std::vector<std::string> remarks;      // what a reader should know and no verdict depends on
  std::vector<CellComparison> cells;
};

// A sentence with exit status 2 where nothing is comparable.
Result<Comparison> compare_reports(const MeasuredReport& base, const MeasuredReport& now,
                                   const CompareSettings& settings);
Result<Comparison> compare_models(const MeasuredReport& report, const std::string& base,
                                  const std::string& now, const CompareSettings& settings);

// For --fail-on-regression: is anything worse by `limit` (0.05) or more?
//   yes  a cell is significantly worse, and by that much as measured
//   no   every cell's interval excludes it
enum class Regression { no, yes, undecided };
Regression regression_of(const CellComparison& cell, double limit);
Regression regression_of(const Comparison& comparison, double limit);

}  // namespace muxbench
