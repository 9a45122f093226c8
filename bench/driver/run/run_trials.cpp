#include "run/run_trials.h"

#include <algorithm>
#include <set>

#include "plan/extra_trials.h"
#include "plan/trial_cost.h"
#include "run/precision_target.h"
#include "run/time_guard.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

// A server that fails this often in a row will not come right: its time goes to the others.
constexpr int kPatience = 2;

unsigned last_repetition(const std::vector<PlannedTrial>& order) {
  unsigned last = 0;
  for (const PlannedTrial& trial : order) last = std::max(last, trial.repetition);
  return last;
}

// Planned times in the order of the trials, and how reality compares with them.
class Estimate {
 public:
  explicit Estimate(const RunSetup& setup) { add(setup, 0); }

  void add(const RunSetup& setup, std::size_t from) {
    for (std::size_t i = from; i < setup.order.size(); ++i) {
      const PlannedTrial& planned = setup.order[i];
      const Cell& cell = setup.record.cells[planned.cell];
      const Experiment& experiment = setup.record.experiments[cell.experiment];
      costs_.push_back(trial_cost(setup.record.models[cell.model],
                                  planned.counting ? counting_version(experiment) : experiment,
                                  cell.settings));
      left_ += costs_.back();
    }
  }
  Nanoseconds cost(std::size_t trial) const { return costs_[trial]; }
  Nanoseconds at_this_pace(Nanoseconds planned) const {
    if (planned_ == Nanoseconds(0)) return planned;
    const double pace = static_cast<double>(took_.count()) / static_cast<double>(planned_.count());
    return Nanoseconds(static_cast<Nanoseconds::rep>(static_cast<double>(planned.count()) * pace));
  }
  Nanoseconds left() const { return at_this_pace(left_); }
  void skipped(std::size_t trial) { left_ -= costs_[trial]; }
  void forget(std::size_t from) {
    for (std::size_t i = from; i < costs_.size(); ++i) left_ -= costs_[i];
    costs_.resize(from);
  }
  void passed(std::size_t trial, Nanoseconds took) {
    planned_ += costs_[trial];
    left_ -= costs_[trial];
    took_ += took;
  }

 private:
  std::vector<Nanoseconds> costs_;
  Nanoseconds left_{};
  Nanoseconds planned_{};
  Nanoseconds took_{};
};

// Counts failures of a model's server in a row, and gives up on it.
class Patience {
 public:
  void learn(RunRecord& record, const TrialResult& result) {
    const std::size_t model = record.cells[result.cell].model;
    if (!result.server_failed) {
      failures_.erase(model);
    } else if (++failures_[model] == kPatience) {
      record.given_up.emplace(model, fmt::format("not tried any more after {} failures in a row: "
                                                 "{}",
                                                 kPatience, result.error));
    }
  }

 private:
  std::map<std::size_t, int> failures_;
};

// One more block for the cells that miss the target; docs/methodology.md tells what stopping by what
// was seen does to a comparison.
void add_block(RunSetup& setup, const RunOptions& options, Estimate& estimate) {
  const unsigned repetition = setup.order.empty() ? 0 : last_repetition(setup.order) + 1;
  if (!options.target_ci) return;
  RunRecord& record = setup.record;
  if (repetition >= options.max_trials) {
    if (const auto missed = missed_target(record, *options.target_ci); !missed.empty()) {
      record.notes.push_back(fmt::format("After {} trials (--max-trials) {}.", repetition, missed));
    }
    return;
  }
  const std::size_t begin = setup.order.size();
  for (const std::size_t cell : compare_with_target(record, *options.target_ci).missed) {
    setup.order.push_back({cell, repetition});
  }
  shuffle_trials(setup.order, begin, record.seed + repetition);
  estimate.add(setup, begin);
  record.planned_trials += setup.order.size() - begin;
}

// The block that begins at `from` is the last one, and of these experiments alone.
void shorten(RunSetup& setup, Estimate& estimate, std::size_t from,
             const std::set<std::size_t>& experiments) {
  auto& order = setup.order;
  const PlannedTrial first = order[from];
  const auto is_left_out = [&](const PlannedTrial& trial) {
    const std::size_t experiment = setup.record.cells[trial.cell].experiment;
    return !same_block(trial, first) || !experiments.contains(experiment);
  };
  estimate.forget(from);
  order.erase(
      std::remove_if(order.begin() + static_cast<std::ptrdiff_t>(from), order.end(), is_left_out),
      order.end());
  estimate.add(setup, from);
}

void add_notes(RunRecord& record, const RunOptions& options, const std::string& cut) {
  // Of an interrupted run the report says that more is missing than that.
  if (!cut.empty() && !record.interrupted) {
    record.notes.push_back(early_end_note(record, options.target_ci, cut));
  }
  if (options.target_ci) {
    if (auto note = note_on_cells_without_target(record); !note.empty()) {
      record.notes.push_back(std::move(note));
    }
  }
  if (!record.steal_time) {
    record.notes.push_back(
        "How much CPU time a hypervisor gave to others is unknown: /proc/stat does not tell it "
        "here.");
  }
}

}  // namespace

void run_trials(RunSetup& setup, const RunOptions& options, const std::string& scratch,
                Clock::time_point begin, RunObserver& observer) {
  RunRecord& record = setup.record;
  const TimeGuard guard(begin, setup.profile, setup.estimate);
  Estimate estimate(setup);
  Patience patience;
  std::string cut;  // what the plan lost to the time, if anything
  const auto expected = [&](std::size_t trial) {
    return estimate.at_this_pace(estimate.cost(trial));
  };

  for (std::size_t i = 0; !interrupted(); ++i) {
    if (i == setup.order.size() && cut.empty()) add_block(setup, options, estimate);
    if (i > 0 && i < setup.order.size() && !same_block(setup.order[i], setup.order[i - 1])) {
      const auto block = expected_block(record, setup.order, i, expected);
      const auto fitting = guard.fitting(Clock::now(), block);
      if (fitting.size() < block.size()) {
        cut = shortened_block(record, setup.order[i], fitting);
        shorten(setup, estimate, i, fitting);
      }
    }
    if (i == setup.order.size()) break;
    const PlannedTrial& planned = setup.order[i];
    const Cell& cell = record.cells[planned.cell];
    const Experiment& asked = record.experiments[cell.experiment];
    const Experiment experiment = planned.counting ? counting_version(asked) : asked;
    if (record.given_up.contains(cell.model)) {
      estimate.skipped(i);
      continue;
    }
    const auto now = Clock::now();
    if (!guard.may_start_trial(now, estimate.cost(i))) {
      cut += ended_within(planned, cut);
      break;
    }
    if (setup.counter && !planned.counting) setup.counter->release();
    observer.trial_begins(i, setup.order.size(), estimate.left(), cell.id);
    TrialSetup trial{.model = &record.models[cell.model],
                     .experiment = &experiment,
                     .cell = &cell,
                     .loadgen = options.loadgen,
                     .scratch = scratch,
                     .server_cpus = record.cpus.server,
                     .load_cpus = record.cpus.load,
                     .load_timeout = load_timeout(experiment, cell.settings),
                     .counter = planned.counting ? setup.counter.get() : nullptr};
    if (guard.limited()) trial.load_timeout = std::min(trial.load_timeout, guard.left(now));
    TrialResult result = run_trial(trial);
    if (interrupted()) break;  // an unfinished trial is no result
    if (!result.ok() && guard.left(Clock::now()) <= Nanoseconds(0)) {
      cut += ended_within(planned, cut);  // it failed because its time was cut
      break;
    }
    result.cell = planned.cell;
    result.repetition = planned.repetition;
    result.order = i;
    result.started = now - begin;
    estimate.passed(i, result.took);
    if (!result.ok()) observer.remark(fmt::format("failed: {}: {}", cell.id, result.error));
    if (!result.stop_error.empty()) {
      observer.remark(fmt::format("flagged: {}: {}", cell.id, result.stop_error));
    }
    if (!planned.twin) patience.learn(record, result);
    (planned.counting ? record.counting_trials
     : planned.twin   ? record.twin_trials
                      : record.trials)
        .push_back(std::move(result));
  }
  record.interrupted = interrupted();
  record.finished = std::chrono::system_clock::now();
  record.steal_time = steal_time_between(record.steal_time_before, steal_time_since_boot(),
                                         !virtual_machine().empty());
  add_notes(record, options, cut);
}

}  // namespace muxbench
