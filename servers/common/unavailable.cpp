// The program that stands in for a model whose library was missing when it was built: --describe
// says so.
#include "common/model.h"

namespace muxbench {

const ModelInfo kModel{
    .name = MUXBENCH_MODEL, .family = "library", .mechanism = "not built", .probe = [] {
      return Probe{.unavailable_because = MUXBENCH_MISSING};
    }};

Result<> serve(ServerContext&) { return Error{MUXBENCH_MISSING, Exit::unavailable}; }

}  // namespace muxbench
