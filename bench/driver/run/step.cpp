#include "run/step.h"

#include <algorithm>

namespace muxbench {
namespace {

// A server that fails this often in a row will not come right: its time goes to the others.
constexpr int kMostFailures = 2;

std::vector<TrialResult>& list_of(RunRecord& record, TrialKind kind) {
  return kind == TrialKind::counting ? record.counting_trials
         : kind == TrialKind::twin   ? record.twin_trials
                                     : record.trials;
}

}  // namespace

void Patience::learn(RunRecord& record, const TrialResult& result) {
  const std::size_t model = record.cells[result.cell].model;
  if (!result.server_failed) {
    failures_.erase(model);
  } else if (++failures_[model] == kMostFailures) {
    record.given_up.emplace(model, fmt::format("not tried any more after {} failures in a row: {}",
                                               kMostFailures, result.error));
  }
}

void add_step(RunRecord& record, Patience& patience, Step step) {
  for (Outcome& outcome : step.outcomes) {
    if (outcome.kind != TrialKind::twin) patience.learn(record, outcome.result);
    list_of(record, outcome.kind).push_back(std::move(outcome.result));
  }
}

bool all_ok(const Step& step) {
  return std::all_of(step.outcomes.begin(), step.outcomes.end(),
                     [](const Outcome& outcome) { return outcome.result.ok(); });
}

}  // namespace muxbench
