// A server's command line.
#pragma once

#include <optional>

#include "base/result.h"
#include "runtime/options.h"

namespace muxbench {

// nullopt: --help or --version was asked for and has been answered. An error is a sentence for the
// user.
Result<std::optional<Options>> parse_options(int argc, char** argv);

}  // namespace muxbench
