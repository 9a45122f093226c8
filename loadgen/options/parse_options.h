// The command line of the load generator, checked: what parse_options returns makes sense.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options/options.h"

namespace muxbench::loadgen {

// Options, or the text that --help and --version ask for.
struct CommandLine {
  Options options;
  std::optional<std::string> text;
};

// `program`: its name in --help and --version.
Result<CommandLine> parse_options(int argc, const char* const* argv,
                                  std::string_view program = "loadgen");

}  // namespace muxbench::loadgen
