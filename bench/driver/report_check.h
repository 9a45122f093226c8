// Whether a JSON document is a report that this muxbench can read. Whoever reads one asks here
// first. What is wrong is one sentence with its remedy, and bad input (exit status 2).
#pragma once

#include <string>

#include "base/result.h"
#include "driver/json_reader.h"

namespace muxbench {

// "1." and a number, whatever it is: a minor version adds and takes nothing away.
Result<> check_schema_version(const Json& report, const std::string& file);

}  // namespace muxbench
