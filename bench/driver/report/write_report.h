// A report as JSON, and as the text of its file.
#pragma once

#include <string>

#include "report/report.h"

namespace muxbench {

inline constexpr const char* kSchemaVersion = "1.4";

Json to_json(const report::Report& report);
// The top level indented, each benchmark, cell and trial on a line of its own: small, and two
// reports can be compared by a line-wise diff.
std::string to_text(const Json& report);

}  // namespace muxbench
