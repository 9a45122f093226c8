// What is wrong with a measured cell.
#pragma once

#include <string>
#include <vector>

namespace muxbench {

// A reason not to rank a cell, though it was measured, or a caveat.
struct Flag {
  std::string kind;
  std::string detail;
};

// False for a caveat that concerns single metrics: those that disturbed slices spoil are withheld, and
// those that the state of the host moves are compared block by block.
bool forbids_ranking(const Flag& flag);
bool forbid_ranking(const std::vector<Flag>& flags);  // any of them

}  // namespace muxbench
