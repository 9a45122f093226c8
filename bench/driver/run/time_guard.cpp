#include "run/time_guard.h"

#include <fmt/format.h>

#include "run/precision_target.h"

namespace muxbench {
namespace {

constexpr double kToSpare = 1.05;

}  // namespace

TimeGuard::TimeGuard(Clock::time_point begin, const Profile& profile, Nanoseconds estimate) {
  // Amounts fixed on the command line may need more than the profile promises: the wish counts.
  if (!profile.limit) return;
  if (profile.limit_is_asked_for || estimate <= *profile.limit) end_ = begin + *profile.limit;
}

Nanoseconds TimeGuard::left(Clock::time_point now) const {
  return end_ ? *end_ - now : Nanoseconds::max();
}

std::set<std::size_t> TimeGuard::fitting(Clock::time_point now,
                                         const std::map<std::size_t, Nanoseconds>& block) const {
  std::set<std::size_t> experiments;
  auto rest = static_cast<double>(left(now).count());
  for (const auto& [experiment, takes] : block) {
    const double needed = static_cast<double>(takes.count()) * kToSpare;
    if (needed > rest) continue;
    experiments.insert(experiment);
    rest -= needed;
  }
  return experiments;
}

bool TimeGuard::may_start_trial(Clock::time_point now, Nanoseconds cost) const {
  return left(now) >= cost;
}

bool same_block(const PlannedTrial& a, const PlannedTrial& b) {
  return a.repetition == b.repetition && a.counting == b.counting;
}

std::map<std::size_t, Nanoseconds> expected_block(
    const RunRecord& record, const std::vector<PlannedTrial>& order, std::size_t from,
    const std::function<Nanoseconds(std::size_t)>& expected) {
  std::map<std::pair<std::size_t, bool>, Nanoseconds> took;  // by cell, and if it is the twin
  for (const TrialResult& trial : record.trials) took[{trial.cell, false}] = trial.took;
  for (const TrialResult& trial : record.twin_trials) took[{trial.cell, true}] = trial.took;
  std::map<std::size_t, Nanoseconds> block;
  for (std::size_t i = from; i < order.size() && same_block(order[i], order[from]); ++i) {
    const Cell& cell = record.cells[order[i].cell];
    if (record.given_up.contains(cell.model)) continue;
    const auto known = took.find({order[i].cell, order[i].twin});
    const bool is_known =
        known != took.end() && !order[i].counting && cell.method == Method::trials;
    block[cell.experiment] += is_known ? known->second : expected(i);
  }
  return block;
}

std::string early_end_note(const RunRecord& record, std::optional<double> target_ci,
                           const std::string& cut) {
  if (const auto missed = target_ci ? missed_target(record, *target_ci) : ""; !missed.empty()) {
    return fmt::format("The time of profile {} is over: {}. {}.", record.profile, cut, missed);
  }
  return fmt::format("The run took longer than planned. To keep the time of profile {}, {}.",
                     record.profile, cut);
}

std::string shortened_block(const RunRecord& record, const PlannedTrial& next,
                            const std::set<std::size_t>& experiments) {
  if (experiments.empty()) {
    return next.counting ? "it ends after repetition 1 and counts no system calls"
                         : fmt::format("it ends after repetition {}", next.repetition);
  }
  std::vector<std::string> names;
  for (const std::size_t experiment : experiments) {
    names.push_back(record.experiments[experiment].name);
  }
  const std::string part = next.counting ? "it ends after repetition 1 and counts the system calls"
                                         : fmt::format("repetition {} is", next.repetition + 1);
  return fmt::format("{} of these experiments alone: {}", part, fmt::join(names, ", "));
}

std::string ended_within(const PlannedTrial& next, const std::string& cut) {
  const std::string how =
      next.counting
          ? "it ends within the counting pass, so that some cells lack their system calls"
          : fmt::format("it ends within repetition {}, so that some cells have one trial fewer",
                        next.repetition + 1);
  return cut.empty() ? how : ", and " + how;
}

}  // namespace muxbench
