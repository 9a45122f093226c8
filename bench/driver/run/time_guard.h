// When to stop a run that takes longer than planned, to keep the time that its profile promises: at
// the start of a block of repetitions, which then is of the experiments that fit, and within a block
// only where the next trial does not fit any more.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "plan/trial_order.h"
#include "run/record.h"

namespace muxbench {

class TimeGuard {
 public:
  TimeGuard(Clock::time_point begin, const Profile& profile, Nanoseconds estimate);

  bool limited() const noexcept { return end_.has_value(); }
  Nanoseconds left(Clock::time_point now) const;
  // Of the experiments of a block and what each takes those that fit into what is left, the first
  // ones first, with a little to spare: a block that ends within itself leaves cells of all unequal.
  std::set<std::size_t> fitting(Clock::time_point now,
                                const std::map<std::size_t, Nanoseconds>& block) const;
  bool may_start_trial(Clock::time_point now, Nanoseconds cost) const;

 private:
  std::optional<Clock::time_point> end_;
};

// What the block that begins at `from` takes, by experiment: each trial what the same one took the
// last time or, if it is of another kind, the first, or part of a round, what `expected` says of its
// place in `order`.
// Models that are not tried any more take nothing.
std::map<std::size_t, Nanoseconds> expected_block(
    const RunRecord& record, const std::vector<PlannedTrial>& order, std::size_t from,
    const std::function<Nanoseconds(std::size_t)>& expected);

// The sentences about a run whose time was over: what was cut, as "it ends after repetition 2", or,
// with --target-ci, how many cells are known less well than that.
std::string early_end_note(const RunRecord& record, std::optional<double> target_ci,
                           const std::string& cut);
// How the block of `next` was cut to these experiments: "repetition 3 is of these experiments alone:
// connections, idle", or "it ends after repetition 2" if to none.
std::string shortened_block(const RunRecord& record, const PlannedTrial& next,
                            const std::set<std::size_t>& experiments);

// How the run ended at `next`, as a continuation of what was cut already.
std::string ended_within(const PlannedTrial& next, const std::string& cut);

// Are both of one repetition, or both of the counting pass?
bool same_block(const PlannedTrial& a, const PlannedTrial& b);

}  // namespace muxbench
