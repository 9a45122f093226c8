// Where things lie from the executable's point of view: build/bench/muxbench, in or out of the
// source tree that it was built from.
#pragma once

#include <string>

namespace muxbench {

struct Paths {
  std::string servers_dir;
  std::string loadgen;
  std::string experiments_dir;
};
Paths default_paths();

}  // namespace muxbench
