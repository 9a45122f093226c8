#include "cli/program.h"

#include <fmt/format.h>

#include <sstream>

#include "base/output.h"
#include "cli/commands.h"
#include "system/build_info.h"
#include "system/child_process.h"
#include "system/interrupt.h"

namespace muxbench {

int run_program(int argc, char** argv) {
  const std::vector<std::string> command_line(argv, argv + argc);
  CLI::App app(
      "Compares I/O multiplexing strategies: one server per strategy, real traffic, one "
      "JSON report.",
      kProgram);
  const BuildInfo& build = build_info();
  app.set_version_flag("--version", fmt::format("muxbench {}{}{}{}", build.version,
                                                build.revision.empty() ? "" : ", revision ",
                                                build.revision, build.dirty ? " (dirty)" : ""));
  app.require_subcommand(1);
  int status = 0;
  add_list_command(app, status);
  add_doctor_command(app, status);
  add_verify_command(app, status);
  add_compare_command(app, status);
  add_count_command(app, status);
  add_run_command(app, status, command_line);
  add_report_command(app, status);
  add_export_command(app, status);

  adopt_orphans();
  if (const auto ready = catch_interrupts(); !ready) return print_error(kProgram, ready.error());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      std::ostringstream text;
      app.exit(error, text, text);
      write_output(text.str());
      return finish(kProgram, 0);
    }
    return print_error(kProgram, usage_error("{} (see {} --help)", error.what(), kProgram));
  }
  // `count` passes signals on to its program, and ends as that does.
  const int stopped = app.got_subcommand("count") ? 0 : interrupt_status();
  return finish(kProgram, stopped != 0 ? stopped : status);
}

}  // namespace muxbench
