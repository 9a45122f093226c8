// The charts and the page of a run.
#include "base/output.h"
#include "cli/commands.h"
#include "cli/run_steps.h"
#include "run/charts.h"
#include "system/interrupt.h"

namespace muxbench {

int draw_results(const RunOptions& options, const OutputFolder& folder) {
  const auto drawn = draw_charts(options.plots_dir, folder.path(), options.quiet);
  if (interrupted()) {
    print_stderr("{}: interrupted; some charts are missing, and {}/make_charts.py draws them\n",
                 kProgram, options.plots_dir);
    return interrupt_status();
  }
  if (!drawn) return print_error(kProgram, drawn.error());
  int status = 0;
  for (const EndedProgram& ended : *drawn) {
    write_output(ended.output);
    flush_output(kProgram);  // before what follows on standard error
    if (!ended.errors.empty()) print_stderr("{}\n", ended.errors);
    if (ended.status != 0) status = ended.status;
  }
  return status;
}

}  // namespace muxbench
