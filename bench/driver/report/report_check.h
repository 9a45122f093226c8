// Whether a JSON document is a report that this muxbench can read. Whoever reads one asks here
// first, and may then take for granted what docs/report-format.md says of the places that are read.
// What is wrong is one sentence with its remedy, and bad input (exit status 2).
#pragma once

#include <string>

#include "base/result.h"
#include "json/json.h"

namespace muxbench {

// "1." and a number, whatever it is: a minor version adds and takes nothing away.
Result<> check_schema_version(const Json& report, const std::string& file);

// That; every place that is read is there and of its type (report_rules.h); and cells, trials and
// experiments belong together. Places that nothing here reads may hold anything.
Result<> check_report(const Json& report, const std::string& file);

// For what a reader finds wrong beyond that: "FILE is not a muxbench report as documented: WHAT; ..."
Error not_as_documented(const std::string& file, const std::string& what);

}  // namespace muxbench
