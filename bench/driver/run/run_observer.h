// Who is told how far a run is.
#pragma once

#include <string>

#include "base/clock.h"

namespace muxbench {

struct RunRecord;

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // `done` of `trials` are over, and the next one is of the cell `next`. `left` is an estimate.
  virtual void trial_begins(std::size_t done, std::size_t trials, Nanoseconds left,
                            const std::string& next) = 0;
  // So many of `repetitions` of everything are over: the record can answer already.
  virtual void repetition_ends(const RunRecord& record, unsigned done, unsigned repetitions) = 0;
  // A sentence to keep.
  virtual void remark(const std::string& sentence) = 0;
};

}  // namespace muxbench
