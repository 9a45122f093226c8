// A report in the forms that other programs take. Each form is a file export_*.cpp, which names
// the document that describes it.
#pragma once

#include <string>
#include <vector>

#include "driver/report_view.h"

namespace muxbench {

std::string export_markdown(const ReportView& view);

struct ExportFormat {
  const char* name;
  const char* what;
  std::string (*write)(const ReportView& view);
};

inline constexpr ExportFormat kExportFormats[]{
    {"markdown", "findings and tables, as summary.md", export_markdown},
};

}  // namespace muxbench
