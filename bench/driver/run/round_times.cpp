#include "run/round_times.h"

#include <algorithm>
#include <cmath>

#include "plan/trial_cost.h"

namespace muxbench {
namespace {

RoundTime planned(const RunRecord& record, const std::vector<PlannedTrial>& order, std::size_t from,
                  std::size_t to) {
  RoundTime time;
  for (std::size_t i = from; i < to; ++i) {
    const Cell& cell = record.cells[order[i].cell];
    const Experiment& experiment = record.experiments[cell.experiment];
    const Model& model = record.models[cell.model];
    time.opening += trial_overhead(model, cell.settings);
    time.block += slice_cost(plan_slices(experiment, cell.settings));
    if (order[i].counted) time.counting += counting_cost(model, experiment, cell);
  }
  return time;
}

Nanoseconds scaled(Nanoseconds time, double by) {
  return Nanoseconds(std::llround(static_cast<double>(time.count()) * by));
}

Nanoseconds at_pace(Nanoseconds time, Nanoseconds all_planned, Nanoseconds all_took) {
  if (all_planned == Nanoseconds(0)) return time;
  return scaled(time,
                static_cast<double>(all_took.count()) / static_cast<double>(all_planned.count()));
}

}  // namespace

RoundTime RoundTimes::expected(const RunRecord& record, const std::vector<PlannedTrial>& order,
                               std::size_t from, std::size_t to) const {
  RoundTime time = planned(record, order, from, to);
  time.counting = at_pace(time.counting, all_planned_.counting, all_took_.counting);
  const Cell& cell = record.cells[order[from].cell];
  if (const auto known = took_.find({cell.experiment, cell.point}); known != took_.end()) {
    const auto parts = static_cast<long>(to - from);
    time.opening = parts * known->second.opening;
    time.block = parts * known->second.block;
  } else {
    time.opening = at_pace(time.opening, all_planned_.opening, all_took_.opening);
    time.block = at_pace(time.block, all_planned_.block, all_took_.block);
  }
  return time;
}

void RoundTimes::learn(const RunRecord& record, const std::vector<PlannedTrial>& order,
                       std::size_t from, std::size_t to, const RoundTime& took) {
  const Cell& cell = record.cells[order[from].cell];
  const auto parts = static_cast<long>(to - from);
  took_[{cell.experiment, cell.point}] = {.opening = took.opening / parts,
                                          .block = took.block / parts};
  const RoundTime plan = planned(record, order, from, to);
  all_planned_.opening += plan.opening;
  all_planned_.block += plan.block;
  all_planned_.counting += plan.counting;
  all_took_.opening += took.opening;
  all_took_.block += took.block;
  all_took_.counting += took.counting;
}

Nanoseconds time_for_blocks(Nanoseconds left, const RoundsLeft& all, Nanoseconds next) {
  constexpr double kUsed = 0.97;  // rounds do not all take what they took before
  const Nanoseconds free = scaled(left, kUsed) - all.fixed;
  if (free <= Nanoseconds(0) || all.blocks <= Nanoseconds(0)) return Nanoseconds(0);
  return scaled(free, static_cast<double>(next.count()) / static_cast<double>(all.blocks.count()));
}

}  // namespace muxbench
