// muxbench report: what a run that was killed had finished, as its report.
#include <memory>

#include "base/output.h"
#include "cli/commands.h"
#include "cli/run_steps.h"

namespace muxbench {
namespace {

int write_report_of(const std::string& path) {
  const auto journal = Journal::reopen(path);
  if (!journal) return print_error(kProgram, journal.error());
  const Measured written =
      write_results(recorded(journal->content()), OutputFolder::existing(path));
  write_output(written.answer);
  return written.status;
}

}  // namespace

void add_report_command(CLI::App& app, int& status) {
  auto folder = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("report", "Write report.json and summary.md of a run that was killed");
  command->add_option("DIR", *folder, "The folder of the run")->required();
  command->callback([folder, &status] { status = write_report_of(*folder); });
}

}  // namespace muxbench
