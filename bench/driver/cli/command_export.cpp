// muxbench export: a report in the form that another program takes, on standard output.
#include <algorithm>
#include <memory>

#include "analysis/findings.h"
#include "base/output.h"
#include "cli/commands.h"
#include "export/exports.h"
#include "report/read_report.h"

namespace muxbench {
namespace {

struct ExportArguments {
  std::string report;
  std::string format;
  std::string cell;
};

constexpr const char* kHgrm = "hgrm";

Result<std::string> text_of(const report::Report& report, const ExportArguments& arguments) {
  if (arguments.format == kHgrm) return export_hgrm(report, arguments.cell);
  if (!arguments.cell.empty()) {
    return usage_error("--cell goes with --to {} only; leave it out", kHgrm);
  }
  const auto* format =
      std::find_if(std::begin(kExportFormats), std::end(kExportFormats),
                   [&](const ExportFormat& known) { return arguments.format == known.name; });
  return format->write(report);
}

int run(const ExportArguments& arguments) {
  auto report = load_report(arguments.report);
  if (!report) return print_error(kProgram, report.error());
  // A report of before schema 1.1 carries none.
  if (!report->conclusions) report->conclusions = conclude(*report);
  const auto text = text_of(*report, arguments);
  if (!text) return print_error(kProgram, text.error());
  write_output(*text);
  return 0;
}

}  // namespace

void add_export_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<ExportArguments>();
  std::vector<std::string> names;
  std::string what = "Format:";
  for (const ExportFormat& format : kExportFormats) {
    names.emplace_back(format.name);
    what += fmt::format("{} {} ({})", names.size() > 1 ? "," : "", format.name, format.what);
  }
  names.emplace_back(kHgrm);
  what += fmt::format(", {} (HdrHistogram's percentiles of one cell)", kHgrm);
  CLI::App* command = app.add_subcommand("export", "Print a report in a format for other programs");
  command->add_option("REPORT", arguments->report, "The report.json of a run")->required();
  command->add_option("--to", arguments->format, what)->required()->check(one_of(names));
  command->add_option("--cell", arguments->cell, "The cell whose latencies --to hgrm prints");
  name_values(*command, {{"FORMAT", {"--to"}}, {"CELL", {"--cell"}}});
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace muxbench
