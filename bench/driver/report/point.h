// Where in an experiment a cell lies.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace muxbench {

// Where in a sweep a cell lies: swept keys in the file's order, then connections.
struct Coordinate {
  std::string key;
  std::uint64_t value;
  friend auto operator<=>(const Coordinate&, const Coordinate&) = default;
};
using Point = std::vector<Coordinate>;

std::string to_string(const Point& point);  // "idle:8000/connections:100"

}  // namespace muxbench
