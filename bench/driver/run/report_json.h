// The report: one JSON file as docs/report-format.md says.
#pragma once

#include <string>

#include "run/record.h"

namespace muxbench {

inline constexpr const char* kSchemaVersion = "1.1";

Json make_report(const RunRecord& record);
// The top level indented, each benchmark, cell and trial on a line of its own: small, and two
// reports can be compared by a line-wise diff.
std::string to_text(const Json& report);

}  // namespace muxbench
