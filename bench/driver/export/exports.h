// A report in the forms that other programs take. Each form is a file export_*.cpp, which names
// the document that describes it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "report/report.h"

namespace muxbench {

std::string export_markdown(const report::Report& report);
std::string export_csv(const report::Report& report);
std::string export_bmf(const report::Report& report);
std::string export_github_action(const report::Report& report);
std::string export_github_action_bigger(const report::Report& report);
std::string export_openmetrics(const report::Report& report);
// The one that holds a single histogram: of all trials of a cell.
Result<std::string> export_hgrm(const report::Report& report, const std::string& cell);

struct ExportFormat {
  const char* name;
  const char* what;
  std::string (*write)(const report::Report& report);
};

inline constexpr ExportFormat kExportFormats[]{
    {"csv", "a row for each cell", export_csv},
    {"markdown", "findings and tables, as summary.md", export_markdown},
    {"bmf", "Bencher Metric Format", export_bmf},
    {"github-action", "github-action-benchmark, customSmallerIsBetter: latency, CPU, memory",
     export_github_action},
    {"github-action-bigger", "github-action-benchmark, customBiggerIsBetter: throughput",
     export_github_action_bigger},
    {"openmetrics", "OpenMetrics 1.0 text", export_openmetrics},
};

}  // namespace muxbench
