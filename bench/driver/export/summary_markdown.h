// A report as Markdown for people: the findings, then a table per experiment. The terminal shows
// it, summary.md and `muxbench export --to markdown` are it.
#pragma once

#include "report/report.h"

namespace muxbench {

// Takes the findings that the report carries; computes none.
std::string summary_markdown(const report::Report& report);

}  // namespace muxbench
