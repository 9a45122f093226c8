#include "run/default_paths.h"

#include <filesystem>

#include "system/build_info.h"

namespace muxbench {

namespace fs = std::filesystem;

Paths default_paths() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path build = folder.parent_path();
  const std::string source = build_info().experiments_dir;
  return {.servers_dir = (build / "servers").string(),
          .loadgen = (build / "loadgen" / "loadgen").string(),
          .experiments_dir =
              fs::is_directory(source, error) ? source : (folder / "experiments").string()};
}

}  // namespace muxbench
