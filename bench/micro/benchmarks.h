// The groups of micro-benchmarks; each registers its own. `largest` is how many descriptors the
// limit of this process leaves.
#pragma once

#include <cstddef>
#include <string>

namespace muxbench {

void register_wait_cost(std::size_t largest);
void register_registration_cost(std::size_t largest);
void register_hand_over_cost();
void register_syscall_floor();
void register_session_cost();

// A benchmark that this host or build cannot run: it appears in the results as skipped, with the
// reason.
void register_missing(const std::string& name, const std::string& reason);

}  // namespace muxbench
