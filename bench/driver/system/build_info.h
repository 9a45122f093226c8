// What this program was built from, and how.
#pragma once

#include <string>

namespace muxbench {

struct BuildInfo {
  std::string version;
  std::string revision;  // empty: unknown
  bool dirty = false;
  std::string type;
  std::string compiler;
  std::string compiler_flags;
  std::string experiments_dir;  // in the source tree that it was built from
};
const BuildInfo& build_info();

}  // namespace muxbench
