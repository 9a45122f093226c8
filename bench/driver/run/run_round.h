// One round of a point: every model has a fresh server, and they take turns in short slices.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan/slices.h"
#include "system/foreign_cpu.h"
#include "trial/round_member.h"

namespace muxbench {

// What one model, or a twin, does in a round.
struct RoundPart {
  TrialSetup setup;
  bool counted = false;    // its system calls are counted at the end of the round
  bool reference = false;  // slices are made long enough for this one
};

struct RoundRequest {
  std::vector<RoundPart> parts;  // in the order in which they are opened
  SlicePlan plan;
  bool calibrated = false;                 // the plan is known to fit
  std::uint64_t seed = 0;                  // of the order within the blocks
  Clock::time_point began;                 // when the run did
  std::optional<Nanoseconds> blocks_time;  // after it no block begins, but for the first few
  const ForeignCpu* foreign = nullptr;     // none: no slice is known to be disturbed
  SyscallCounter* counter = nullptr;
};

// What a round takes: the opening once, with all else that comes once, and each block.
struct RoundTime {
  Nanoseconds opening{};
  Nanoseconds block{};
  Nanoseconds counting{};
};

struct RoundResult {
  SlicePlan plan;  // as calibrated
  RoundTime took;
  std::vector<RoundMember::Found> found;  // by each part
};

// Leaves no process behind. Comes back early when interrupted.
RoundResult run_round(const RoundRequest& request);

}  // namespace muxbench
