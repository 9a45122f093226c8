// What a program that drives this one (--phases) says on standard input, a line for each command.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "options/options.h"

namespace muxbench::loadgen {

struct Command {
  enum class Kind : std::uint8_t {
    go,     // one ordinary run
    slice,  // a short load, then rest
    end,    // no more slices
  };
  Kind kind = Kind::go;
  // Of a slice:
  Nanoseconds warmup{};
  Nanoseconds duration{};
  std::uint64_t rate = 0;  // requests per second; 0: closed loop
};

// "go", "end" or "slice WARMUP_NS DURATION_NS [RATE]". A usage error otherwise, and for what the
// options do not allow: a slice with --requests, a RATE without --rate.
Result<Command> parse_command(std::string_view line, const Options& options);

// The lines of standard input. One object for a process: it reads ahead.
class CommandInput {
 public:
  // Sleeps until there is a line, which comes without its end. Nothing at the end of the input, and
  // when the process was interrupted.
  std::optional<std::string> next();

 private:
  std::string ahead_;
};

}  // namespace muxbench::loadgen
