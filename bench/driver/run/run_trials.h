// The trials of a run, one after the other, within the time that the profile promises.
#pragma once

#include "run/output_folder.h"
#include "run/run_observer.h"
#include "run/run_setup.h"

namespace muxbench {

// Fills setup.record. Comes back early when interrupted or when the time is over; what had
// finished is in the record.
void run_trials(RunSetup& setup, const RunOptions& options, const std::string& scratch,
                Clock::time_point begin, RunObserver& observer);

}  // namespace muxbench
