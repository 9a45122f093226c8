// Lines through trials, and how sure their slopes are. Everything here errs on the side of saying nothing: samples
// are small (3 to 10 trials), and a sentence that a rerun contradicts costs more than one unsaid.
#pragma once

#include <optional>
#include <vector>

namespace muxbench {

struct Observation {
  double x;
  std::vector<double> trials;
};

struct LineFit {
  double intercept = 0;
  double slope = 0;
  double error = 0;  // standard error of the slope
  double freedom = 0;
  std::size_t trials = 0;

  // Half the width of the interval that holds the slope with 95 % confidence, for `comparisons`
  // such intervals at once.
  double half_width(std::size_t comparisons = 1) const;
};

// Least squares through all trials of 3 or more values of x. The error is robust to noise that
// grows with the level (HC3; MacKinnon and White 1985), and has the degrees of freedom of the
// trials at the value with the most leverage, which alone decide a slope over values that grow
// geometrically. Nothing when that has fewer than 3 trials.
std::optional<LineFit> fit_line(const std::vector<Observation>& observations);

}  // namespace muxbench
