// The micro-benchmarks of a run.
#include "base/directory.h"
#include "base/file.h"
#include "base/output.h"
#include "cli/commands.h"
#include "cli/run_steps.h"
#include "run/micro_benchmarks.h"

namespace muxbench {
namespace {

Result<> say_that_they_are_missing(const OutputFolder& folder) {
  const auto before = read_file(folder.file("summary.md"));
  return folder.write(
      "summary.md", (before ? *before : "") +
                        "\n## Micro-benchmarks\n\nThey did not finish, so there are no figures of "
                        "them.\n");
}

}  // namespace

int measure_primitives(const RunOptions& options, const OutputFolder& folder) {
  const MicroAmounts amounts = find_profile(options.profile)->micro;
  if (!options.quiet) print_stderr("{}\n", describe(amounts));
  const std::string file = folder.file("micro.json");
  const EndedProgram ended = run_micro_benchmarks(options.micro_program, amounts, file);
  if (!ended.errors.empty()) print_stderr("{}\n", ended.errors);
  if (exists(file)) return ended.status;
  if (auto written = say_that_they_are_missing(folder); !written) {
    return print_error(kProgram, written.error());
  }
  if (ended.errors.empty()) {
    return print_error(kProgram, make_error("the micro-benchmarks did not finish; run {} by hand "
                                            "to see why",
                                            options.micro_program));
  }
  return ended.status;
}

}  // namespace muxbench
