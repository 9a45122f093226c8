// What a run supports saying, in sentences. They are computed here and nowhere else: the report
// carries them, and summary.md, the terminal, charts and the HTML page repeat them.
//
// A model is called best only where it is beyond doubt (inference.h) better than every other, and by
// more than the noise floor; those of which that cannot be said tie with it. Flagged cells and cells of fewer than 3 trials are
// never ranked.
#pragma once

#include "analysis/report_view.h"

namespace muxbench {

// Fills `findings`, `fits` and `crossovers` of a report's `muxbench` section, replacing what is
// there. `name` is what errors call the report.
Result<> add_findings(Json& report, const std::string& name);

}  // namespace muxbench
