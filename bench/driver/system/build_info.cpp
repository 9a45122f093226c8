#include "system/build_info.h"

#include "version.h"

namespace muxbench {

const BuildInfo& build_info() {
  static const BuildInfo info{.version = MUXBENCH_VERSION,
                              .revision = MUXBENCH_GIT_REVISION,
                              .dirty = MUXBENCH_GIT_DIRTY,
                              .type = MUXBENCH_BUILD_TYPE,
                              .compiler = MUXBENCH_COMPILER,
                              .compiler_flags = MUXBENCH_COMPILER_FLAGS,
                              .experiments_dir = MUXBENCH_EXPERIMENTS_DIR};
  return info;
}

}  // namespace muxbench
