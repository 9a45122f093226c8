// The trials of a run.
#include <algorithm>

#include "base/output.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/run_steps.h"
#include "run/run_trials.h"
#include "run/scratch_folder.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

bool all_good(const RunRecord& record) {
  const auto good = [](const TrialResult& trial) {
    return (trial.ok() || trial.uncountable) && trial.stop_error.empty();
  };
  return std::all_of(record.trials.begin(), record.trials.end(), good) &&
         std::all_of(record.counting_trials.begin(), record.counting_trials.end(), good);
}

Result<Journal> journal_of(std::optional<Journal> earlier, const RunSetup& setup,
                           const OutputFolder& folder) {
  if (earlier) return std::move(*earlier);
  return Journal::create(folder.path(), setup.record, setup.order);
}

}  // namespace

Measured measure_servers(RunSetup& setup, const RunOptions& options, const OutputFolder& folder,
                         Clock::time_point begin, std::optional<Journal> earlier) {
  const RunRecord& record = setup.record;
  const auto scratch = ScratchFolder::make();
  if (!scratch) return {.status = print_error(kProgram, scratch.error())};
  auto journal = journal_of(std::move(earlier), setup, folder);
  if (!journal) return {.status = print_error(kProgram, journal.error())};
  if (!options.quiet) write_error(describe_plan(setup, false));
  {
    Progress progress(options.quiet);  // its bar is gone when more is printed
    run_trials(setup, options, scratch->path(), begin, *journal, progress);
  }
  const Measured written = write_results(record, folder);
  if (!written.reported) return written;
  if (record.interrupted) {
    print_stderr(
        "{}: interrupted; the report has the {} trials that had finished, and `muxbench run "
        "--resume {}` goes on\n",
        kProgram, record.trials.size(), folder.path());
    return {.status = interrupt_status(), .reported = true, .answer = written.answer};
  }
  journal->remove();
  if (written.status != 0 || all_good(record)) return written;
  return {.status = print_error(
              kProgram, make_error("some trials failed; the report says which, and `muxbench "
                                   "verify` checks a server by itself")),
          .reported = true,
          .answer = written.answer};
}

}  // namespace muxbench
