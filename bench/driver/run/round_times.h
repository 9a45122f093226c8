// What the rounds of a run take: planned from constants, then what a round of the same point took.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "plan/trial_order.h"
#include "run/record.h"
#include "run/run_round.h"

namespace muxbench {

class RoundTimes {
 public:
  // Of the round that is order[from] to order[to - 1], or of a part of it.
  RoundTime expected(const RunRecord& record, const std::vector<PlannedTrial>& order,
                     std::size_t from, std::size_t to) const;
  void learn(const RunRecord& record, const std::vector<PlannedTrial>& order, std::size_t from,
             std::size_t to, const RoundTime& took);

 private:
  using Place = std::pair<std::size_t, Point>;  // the experiment and the point

  std::map<Place, RoundTime> took_;  // for each model; without counting
  // Of all rounds so far, for points of which there was none.
  RoundTime all_planned_;
  RoundTime all_took_;
};

// A round that is still to come, or several: what they take without blocks, and with them.
struct RoundsLeft {
  Nanoseconds fixed{};   // opening, counting, closing; trials
  Nanoseconds blocks{};  // as many as are planned
};

// How long the next round's blocks may take, so that all that is left has its share of the time: the
// same share of what is planned for each. `all` has the next round too, whose planned blocks take
// `next`.
Nanoseconds time_for_blocks(Nanoseconds left, const RoundsLeft& all, Nanoseconds next);

}  // namespace muxbench
