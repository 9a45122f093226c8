// The trials of a run, one after the other, within the time that the profile promises.
#pragma once

#include "run/journal.h"
#include "run/run_observer.h"
#include "run/run_setup.h"

namespace muxbench {

// Fills setup.record. What the journal has is not measured again, and what finishes goes into it.
// Comes back early when interrupted or when the time is over; what had finished is in the record.
// `begin`: of this process; the time that an earlier one used counts too.
void run_trials(RunSetup& setup, const RunOptions& options, const std::string& scratch,
                Clock::time_point begin, Journal& journal, RunObserver& observer);

}  // namespace muxbench
