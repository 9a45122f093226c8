#include "run/default_paths.h"

#include <filesystem>

#include "system/build_info.h"

namespace muxbench {

namespace fs = std::filesystem;

Paths default_paths() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path build = folder.parent_path();
  const std::string experiments = build_info().experiments_dir;
  const bool has_source = fs::is_directory(experiments, error);
  const fs::path source = fs::path(experiments).parent_path().parent_path();
  return {.servers_dir = (build / "servers").string(),
          .loadgen = (build / "loadgen" / "loadgen").string(),
          .loadgen_mpi = (build / "loadgen" / "loadgen_mpi").string(),
          .experiments_dir = has_source ? experiments : (folder / "experiments").string(),
          .micro_program = (folder / "micro" / "micro").string(),
          .plots_dir = has_source ? (source / "plots").string() : (folder / "plots").string(),
          .results_dir = has_source ? (source / "results").string() : "results"};
}

}  // namespace muxbench
