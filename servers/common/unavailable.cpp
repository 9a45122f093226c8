// The program that stands in for a model whose library was missing when it was built: --describe
// says so, and nothing else works.
#include "common/model.h"

namespace muxbench {

constexpr const char* kMissing = "it was built without " MUXBENCH_MISSING
                                 "; apt-get install " MUXBENCH_PACKAGES ", and build again";

const ModelInfo kModel{
    .name = MUXBENCH_MODEL, .family = MUXBENCH_FAMILY, .mechanism = "not built", .probe = [] {
      return Probe{.unavailable_because = kMissing};
    }};

Result<> serve(ServerContext&) { return Error{kMissing, Exit::unavailable}; }

}  // namespace muxbench
