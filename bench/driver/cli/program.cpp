#include "cli/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/output.h"
#include "cli/commands.h"
#include "system/build_info.h"
#include "system/child_process.h"
#include "system/interrupt.h"

namespace muxbench {

namespace {

// A sentence about the first word, if it is not the command that it has to be.
std::optional<Error> wrong_command(const CLI::App& app,
                                   const std::vector<std::string>& command_line) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (command_line.size() < 2) {
    return usage_error("a command is missing; there are {} (see {} --help)", fmt::join(names, ", "),
                       kProgram);
  }
  const bool is_option = command_line[1].starts_with("-");
  if (is_option || std::find(names.begin(), names.end(), command_line[1]) != names.end()) return {};
  return usage_error("there is no command \"{}\"; there are {} (see {} --help)", command_line[1],
                     fmt::join(names, ", "), kProgram);
}

}  // namespace

int run_program(int argc, char** argv) {
  const std::vector<std::string> command_line(argv, argv + argc);
  CLI::App app(
      "Compares I/O multiplexing strategies: one server for each strategy, real traffic, one "
      "report.",
      kProgram);
  set_up_help(app);
  const BuildInfo& build = build_info();
  app.set_version_flag(
      "--version",
      fmt::format("muxbench {}{}{}{}", build.version, build.revision.empty() ? "" : ", revision ",
                  build.revision, build.dirty ? " (dirty)" : ""),
      "Print the version and exit");
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
    if (const auto wrong = wrong_command(app, command_line)) return print_error(kProgram, *wrong);
    std::string program = kProgram;
    for (const CLI::App* command : app.get_subcommands()) program += " " + command->get_name();
    return print_error(kProgram, command_line_error(error, program));
  }
  // `count` passes signals on to its program, and ends as that does.
  const int stopped = app.got_subcommand("count") ? 0 : interrupt_status();
  return finish(kProgram, stopped != 0 ? stopped : status);
}

}  // namespace muxbench
