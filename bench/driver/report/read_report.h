// A report file becomes a value.
#pragma once

#include <string>

#include "base/result.h"
#include "report/report.h"

namespace muxbench {

// Checks the report once (report_check.h). `file` is what errors call it. What is no whole report of
// schema version 1 is refused with a sentence and exit status 2.
Result<report::Report> read_report(Json json, const std::string& file);
Result<report::Report> load_report(const std::string& path);

}  // namespace muxbench
