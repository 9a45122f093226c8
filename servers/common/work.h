// --work spin:20us: processor time spent on each request, to see when the model stops mattering.
#pragma once

#include "base/clock.h"

namespace muxbench {

// The hook for SessionContext::on_request; nullptr when there is nothing to do. Call once per
// process.
auto make_request_hook(Nanoseconds spin) noexcept -> void (*)() noexcept;

}  // namespace muxbench
