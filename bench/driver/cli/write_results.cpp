// The report of a run and its summary.
#include <filesystem>

#include "analysis/cell_ratio.h"
#include "analysis/findings.h"
#include "base/directory.h"
#include "base/output.h"
#include "cli/commands.h"
#include "cli/run_steps.h"
#include "export/answer_text.h"
#include "export/summary_markdown.h"
#include "report/report_check.h"
#include "report/write_report.h"
#include "run/make_report.h"

namespace muxbench {
namespace {

constexpr const char* kReport = "report.json";

// The report's place where its own folder is full or gone; an error if there is none.
Result<std::string> write_elsewhere(const std::string& text) {
  std::error_code ignored;
  Error last;
  for (const std::string& parent :
       {std::filesystem::current_path(ignored).string(), temporary_folder()}) {
    const auto folder = OutputFolder::make_in(parent);
    if (!folder) {
      last = folder.error();
    } else if (const auto written = folder->write(kReport, text); written) {
      return folder->file(kReport);
    } else {
      last = written.error();
    }
  }
  return last;
}

Error say_where(const Error& failure, const Result<std::string>& elsewhere) {
  if (elsewhere) return make_error("{}; the report is {}", failure.message, *elsewhere);
  return make_error(
      "{}; {}; where the run's folder is still there, `muxbench report` makes the "
      "report from its journal",
      failure.message, elsewhere.error().message);
}

}  // namespace

Measured write_results(const RunRecord& record, const OutputFolder& folder) {
  report::Report report = make_report(record);
  add_relative(report);
  report.conclusions = conclude(report);
  flag_host_states(report);
  const Json json = to_json(report);
  const std::string text = to_text(json);
  // What was measured is kept, even if a load generator of one's own left something in it that
  // cannot be read.
  if (const auto written = folder.write(kReport, text); !written) {
    return {.status = print_error(kProgram, say_where(written.error(), write_elsewhere(text)))};
  }
  const auto failed = [](const Error& error) {
    return Measured{.status = print_error(kProgram, error), .reported = true};
  };
  if (const auto good = check_report(json, kReport); !good) return failed(good.error());
  const std::string summary = summary_markdown(report);
  if (const auto written = folder.write("summary.md", summary); !written) {
    return failed(written.error());
  }
  std::string answer = answer_lines(report);
  if (answer.empty()) {
    answer = summary;
  } else {
    answer += fmt::format("More: less {}\n", folder.file("summary.md"));
  }
  print("{}\n", folder.file(kReport));
  flush_output(kProgram);  // before what follows on standard error
  return {.status = 0, .reported = true, .answer = std::move(answer)};
}

}  // namespace muxbench
