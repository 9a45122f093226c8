// The trials of a run, and the report that is made of them.
#include <algorithm>

#include "analysis/cell_ratio.h"
#include "analysis/findings.h"
#include "base/output.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/run_steps.h"
#include "export/answer_text.h"
#include "export/summary_markdown.h"
#include "report/report_check.h"
#include "report/write_report.h"
#include "run/make_report.h"
#include "run/run_trials.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

bool all_good(const RunRecord& record) {
  const auto good = [](const TrialResult& trial) { return trial.ok() && trial.stop_error.empty(); };
  return std::all_of(record.trials.begin(), record.trials.end(), good) &&
         std::all_of(record.counting_trials.begin(), record.counting_trials.end(), good);
}

}  // namespace

int measure_servers(RunSetup& setup, const RunOptions& options, const OutputFolder& folder,
                    Clock::time_point begin, std::string& answer) {
  RunRecord& record = setup.record;
  const auto scratch = ScratchFolder::make();
  if (!scratch) return print_error(kProgram, scratch.error());
  if (!options.quiet) write_error(describe_plan(setup, false));
  {
    Progress progress(options.quiet);  // its bar is gone when more is printed
    run_trials(setup, options, scratch->path(), begin, progress);
  }
  report::Report report = make_report(record);
  add_relative(report);
  report.conclusions = conclude(report);
  flag_host_states(report);
  const Json json = to_json(report);
  // What was measured is kept, even if a load generator of one's own left something in it that
  // cannot be read.
  if (auto written = folder.write("report.json", to_text(json)); !written) {
    return print_error(kProgram, written.error());
  }
  if (auto good = check_report(json, "report.json"); !good) {
    return print_error(kProgram, good.error());
  }
  const std::string text = summary_markdown(report);
  if (auto written = folder.write("summary.md", text); !written) {
    return print_error(kProgram, written.error());
  }
  answer = answer_lines(report);
  answer =
      answer.empty() ? text : fmt::format("{}More: less {}\n", answer, folder.file("summary.md"));
  print("{}\n", folder.file("report.json"));
  flush_output(kProgram);  // before what follows on standard error
  if (record.interrupted) {
    print_stderr("{}: interrupted; the report has the {} trials that had finished\n", kProgram,
                 record.trials.size());
    return kExitInterrupted;
  }
  if (all_good(record)) return 0;
  return print_error(kProgram,
                     make_error("some trials failed; the report says which, and `muxbench verify` "
                                "checks a server by itself"));
}

}  // namespace muxbench
