// Where things lie from the executable's point of view: build/bench/muxbench, in or out of the
// source tree that it was built from.
#pragma once

#include <string>

namespace muxbench {

struct Paths {
  std::string servers_dir;
  std::string loadgen;
  std::string loadgen_mpi;
  std::string experiments_dir;
  std::string micro_program;
  std::string plots_dir;    // the scripts that draw
  std::string results_dir;  // of the source tree, else of the working directory
};
Paths default_paths();

}  // namespace muxbench
