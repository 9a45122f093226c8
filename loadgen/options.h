// The command line of the load generator, checked: what parse_options returns makes sense.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/address.h"

namespace muxbench::loadgen {

enum class ProtocolKind : std::uint8_t { echo, greet, http };

std::string_view name_of(ProtocolKind protocol);

struct Options {
  std::string target_text;
  Address target;
  ProtocolKind protocol = ProtocolKind::echo;
  std::uint32_t connections = 64;
  std::uint32_t idle = 0;
  std::uint32_t threads = 1;
  std::vector<int> cpus;  // one per thread, round robin; never empty
  std::uint32_t message_bytes = 64;
  std::vector<std::string> paths;
  std::string body_root;  // empty: the first response is the reference
  Nanoseconds warmup{};
  Nanoseconds duration = std::chrono::seconds(10);
  std::uint64_t requests = 0;  // 0: the duration decides
  Nanoseconds connect_timeout = std::chrono::seconds(5);
  Nanoseconds timeout = std::chrono::seconds(5);
  std::string json;  // a file, "-" for standard output, or empty
  bool phases = false;
  bool quiet = false;

  bool json_on_stdout() const { return json == "-"; }
};

// Options, or the text that --help and --version ask for.
struct CommandLine {
  Options options;
  std::optional<std::string> text;
};

Result<CommandLine> parse_options(int argc, const char* const* argv);

}  // namespace muxbench::loadgen
