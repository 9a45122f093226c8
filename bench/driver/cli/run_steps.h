// The steps of `muxbench run`, in their order. Each prints what it found and gives the exit status
// that it leads to; a step that fails does not keep the next one from its work.
#pragma once

#include "run/output_folder.h"
#include "run/run_setup.h"

namespace muxbench {

// The trials; report.json and summary.md. Without report.json the run ends here. `answer` is what
// there is to say when all is over.
int measure_servers(RunSetup& setup, const RunOptions& options, const OutputFolder& folder,
                    Clock::time_point begin, std::string& answer);
// micro.json, or a sentence in summary.md that it is not there.
int measure_primitives(const RunOptions& options, const OutputFolder& folder);
// Charts, findings of the micro-benchmarks and report.html.
int draw_results(const RunOptions& options, const OutputFolder& folder);

}  // namespace muxbench
