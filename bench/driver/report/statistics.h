// Statistics over trials. The unit is the trial, never a sample within one.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace muxbench {

struct Statistics {
  std::size_t n = 0;
  double median = 0;
  double mean = 0;
  double stddev = 0;  // of a sample (n - 1); 0 for a single trial
  double min = 0;
  double max = 0;

  // Coefficient of variation: stddev / mean, 0 where the mean is.
  double cv() const noexcept { return mean == 0 ? 0 : stddev / mean; }
};

Statistics statistics_of(std::vector<double> values);  // not empty

// Half the 95 % interval of the mean of the logarithms (Student's t), as a share: 0.02 for +-2 %.
// Nothing with fewer than 2 values or with one that is not positive.
std::optional<double> relative_half_width(const std::vector<double>& values);

// False when every trial of one lies on the same side of every trial of the other.
bool ranges_overlap(const Statistics& a, const Statistics& b) noexcept;

}  // namespace muxbench
