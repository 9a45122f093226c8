// Whole files.
#pragma once

#include <string>

#include "base/result.h"

namespace muxbench {

// The content of a file, whatever bytes it has. A folder or a file that cannot be read is a usage
// error that names the path.
Result<std::string> read_file(const std::string& path);

// Sixteen hexadecimal digits (FNV-1a) that differ where contents differ: an old copy of a program from a
// new one. Nothing against somebody who wants them equal. Errors as read_file().
Result<std::string> content_hash(const std::string& path);

}  // namespace muxbench
