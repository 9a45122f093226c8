// results/latest: a link to the newest result, whatever its name.
#pragma once

#include <string>

#include "base/result.h"

namespace muxbench {

// Points `results_dir`/latest to the folder, by a relative path. Where there is no such folder of
// results there is no link.
Result<> point_latest_at(const std::string& folder, const std::string& results_dir);

}  // namespace muxbench
