// What makes a measured cell unfit for ranking.
#pragma once

#include <string>

namespace muxbench {

// A reason not to rank a cell, though it was measured.
struct Flag {
  std::string kind;
  std::string detail;
};

}  // namespace muxbench
