// What a report supports saying: findings in sentences, fits, crossovers, the noise floor and the
// verdicts. They are computed here and nowhere else: the report carries them, and summary.md, the
// terminal, charts and the HTML page repeat them.
//
// A model is called best only where it is beyond doubt (verdict.h) better than every other, and by
// more than the noise floor; those of which that cannot be said tie with it. Flagged cells and cells
// of fewer than 3 trials are never ranked.
#pragma once

#include "report/report.h"

namespace muxbench {

report::Conclusions conclude(const report::Report& report);

// Flags cells whose ratio to the reference depends on the speed of the host, which the report's
// conclusions found: a caveat, which keeps no cell out of a ranking.
void flag_host_states(report::Report& report);

}  // namespace muxbench
