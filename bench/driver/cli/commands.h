// The subcommands of muxbench. Each adds itself to the command line and leaves its exit status in
// `status` when it was the one that was asked for.
#pragma once

#include <string>
#include <vector>

#include "command_line/command_line.h"

namespace muxbench {

void add_compare_command(CLI::App& app, int& status);
void add_count_command(CLI::App& app, int& status);
void add_list_command(CLI::App& app, int& status);
void add_doctor_command(CLI::App& app, int& status);
void add_verify_command(CLI::App& app, int& status);
void add_run_command(CLI::App& app, int& status, const std::vector<std::string>& command_line);
void add_report_command(CLI::App& app, int& status);
void add_export_command(CLI::App& app, int& status);

inline constexpr const char* kProgram = "muxbench";

}  // namespace muxbench
