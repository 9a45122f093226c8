// What is wrong with a measured cell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace muxbench {

// A reason not to rank a cell by some or all metrics, though it was measured, or a caveat.
struct Flag {
  std::string kind;
  std::string detail;
};

// A load generator at its limit says nothing against the server's CPU time or memory. False of every
// metric for caveats: metrics that disturbed slices spoil are withheld, and those that the state of
// the host moves are compared block by block.
bool forbids_ranking(const Flag& flag, std::string_view metric);
// The first one that does; null where none does.
const Flag* forbidding_flag(const std::vector<Flag>& flags, std::string_view metric);

// "", ", so not ranked" or ", so not ranked by throughput or latency".
std::string consequence_of(const Flag& flag);

}  // namespace muxbench
