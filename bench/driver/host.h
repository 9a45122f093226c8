// What this machine is: the report's `host` section and Google Benchmark's `context`.
#pragma once

#include <array>
#include <string>

#include "driver/json_reader.h"

namespace muxbench {

std::string host_name();
Json host_section();
// Runnable tasks on average over the last 1, 5 and 15 minutes; to be read before a run, which is a
// load itself.
using LoadAverage = std::array<double, 3>;
LoadAverage load_average();

Json envelope_context(const std::string& executable, const std::string& date,
                      const LoadAverage& load_before);

// The first line of a file under /proc or /sys; empty when there is none.
std::string first_line(const std::string& path);
std::string cpu_model();
// Of the CPU's frequency; "unknown" where the kernel does not show it, as in most virtual machines.
std::string governor();
// "virtual machine", "docker in a virtual machine" or such; "none seen" where nothing tells.
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
