// What fits into the time that a run is given: up to how many descriptors are watched, and how long
// one repetition of one benchmark may take.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace muxbench {

// What the machine tells before the first benchmark.
struct HostCosts {
  std::size_t most_pairs;   // that the descriptor limit allows
  Nanoseconds open_pair{};  // to open and close one
  Nanoseconds use_pair{};   // to make one readable and to empty it again
};

// How many benchmarks there are: of waiting, each at every size, and others.
struct Amounts {
  std::size_t waiting;
  std::size_t others;
  unsigned repetitions;
};

struct Plan {
  std::size_t largest;  // descriptors watched
  Nanoseconds slice{};
  Nanoseconds estimate{};
};

// Plans for two thirds of the budget, so that a machine that slows down still keeps it: as many
// descriptors as leave each repetition 2 ms, or 128 of them at the least; the time left is shared
// out equally, up to 50 ms each.
Plan make_plan(Nanoseconds budget, const HostCosts& host, const Amounts& amounts);

// 8, 32, 128 ... up to `largest`, with `largest` itself where it is well beyond the last of them.
std::vector<std::size_t> sizes_up_to(std::size_t largest);

}  // namespace muxbench
