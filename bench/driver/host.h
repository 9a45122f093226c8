// What this machine is: the report's `host` section and Google Benchmark's `context`.
#pragma once

#include <string>

#include "driver/json_reader.h"

namespace muxbench {

std::string host_name();
Json host_section();
Json envelope_context(const std::string& executable, const std::string& date);

// The first line of a file under /proc or /sys; empty when there is none.
std::string first_line(const std::string& path);
std::string cpu_model();
// "kvm", "docker" or such; empty on bare metal or where nothing tells.
std::string virtualisation();

struct BuildInfo {
  std::string version;
  std::string revision;  // empty: unknown
  bool dirty = false;
  std::string type;
  std::string compiler;
  std::string compiler_flags;
  std::string experiments_dir;  // in the source tree that it was built from
};
const BuildInfo& build_info();

}  // namespace muxbench
