// Options that make no sense together.
#pragma once

#include <functional>
#include <optional>

#include "base/error.h"
#include "options/options.h"

namespace muxbench::loadgen {

// `given("--x")` tells whether the user wrote the option. Nothing when all is well.
std::optional<Error> contradiction(const Options& options,
                                   const std::function<bool(const char*)>& given);

}  // namespace muxbench::loadgen
