// The steps of `muxbench run`, in their order. Each prints what it found and gives the exit status
// that it leads to; a step that fails does not keep the next one from its work.
#pragma once

#include <optional>

#include "run/journal.h"
#include "run/output_folder.h"
#include "run/run_setup.h"

namespace muxbench {

struct Measured {
  int status = 0;
  bool reported = false;  // the folder has its report.json; else the run ends here
  std::string answer;     // what there is to say when all is over
};

// The trials, and write_results(). `earlier`: of the run that goes on, if it does not begin.
Measured measure_servers(RunSetup& setup, const RunOptions& options, const OutputFolder& folder,
                         Clock::time_point begin, std::optional<Journal> earlier);
// report.json and summary.md. Where the folder does not take the report any more, another place has it.
Measured write_results(const RunRecord& record, const OutputFolder& folder);
// micro.json, or a sentence in summary.md that it is not there.
int measure_primitives(const RunOptions& options, const OutputFolder& folder);
// Charts, findings of the micro-benchmarks and report.html.
int draw_results(const RunOptions& options, const OutputFolder& folder);

}  // namespace muxbench
