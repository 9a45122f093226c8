// Whole files.
#pragma once

#include <string>

#include "base/result.h"

namespace muxbench {

// The content of a file, whatever bytes it has. A folder or a file that cannot be read is a usage
// error that names the path.
Result<std::string> read_file(const std::string& path);

}  // namespace muxbench
