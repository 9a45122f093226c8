// The trials of a run, one after the other, within the time that the profile promises.
#pragma once

#include "driver/output_folder.h"
#include "driver/run_setup.h"

namespace muxbench {

// Fills setup.record. Comes back early when interrupted or when the time is over; what had
// finished is in the record.
void run_trials(RunSetup& setup, const RunOptions& options, const std::string& scratch,
                Clock::time_point begin);

// When to stop a run that takes longer than planned: at the start of a block of repetitions if it
// cannot end in time, and within a block only if the time is over.
class TimeGuard {
 public:
  TimeGuard(Clock::time_point begin, const Profile& profile, Nanoseconds estimate);

  bool limited() const noexcept { return end_.has_value(); }
  Nanoseconds left(Clock::time_point now) const;
  // `last_block` is what the block before took.
  bool may_start_block(Clock::time_point now, Nanoseconds last_block) const;
  bool may_start_trial(Clock::time_point now, Nanoseconds cost) const;

 private:
  std::optional<Clock::time_point> end_;
};

// The sentence about a run whose profile's time was over before `next`; with --target-ci it says how
// many cells are known less well than that.
std::string early_end_note(const RunRecord& record, const RunOptions& options,
                           const PlannedTrial& next, bool at_block_start);

}  // namespace muxbench
