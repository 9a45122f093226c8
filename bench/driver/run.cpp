#include "driver/run.h"

#include <algorithm>
#include <set>

#include "driver/interrupt.h"
#include "driver/progress.h"
#include "driver/summary.h"

namespace muxbench {
namespace {

// A server that fails this often in a row will not come right: its time goes to the others.
constexpr int kPatience = 2;
constexpr std::size_t kFewestForTarget = 5;

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
  Nanoseconds left() const {
    if (planned_ == Nanoseconds(0)) return left_;
    const double pace = static_cast<double>(took_.count()) / static_cast<double>(planned_.count());
    return Nanoseconds(static_cast<Nanoseconds::rep>(static_cast<double>(left_.count()) * pace));
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

// Of the metric that answers the experiment: what muxbench compare looks at too.
std::optional<double> target_metric(const RunRecord& record, const TrialResult& trial) {
  const Experiment& experiment = record.experiments[record.cells[trial.cell].experiment];
  return find_metric(experiment.metric)->of(trial);
}

// Of the cells that can still be measured those whose interval is wider than asked for (--target-ci),
// and how many there are. A few trials can agree by chance, so none is done before kFewestForTarget.
struct Target {
  std::vector<std::size_t> missed;
  std::size_t cells = 0;
};

Target compare_with_target(const RunRecord& record, double target_ci) {
  std::map<std::size_t, std::vector<double>> values;
  for (const TrialResult& trial : record.trials) {
    const auto value = target_metric(record, trial);
    if (trial.ok() && value && !record.given_up.contains(record.cells[trial.cell].model)) {
      values[trial.cell].push_back(*value);
    }
  }
  Target target{.missed = {}, .cells = values.size()};
  for (const auto& [cell, measured] : values) {
    const auto half = relative_half_width(measured);
    if (measured.size() < kFewestForTarget || !half || *half > target_ci) {
      target.missed.push_back(cell);
    }
  }
  return target;
}

// "2 of 8 cells are known less well than --target-ci 2 % asks for"; empty if all are known so well.
std::string missed_target(const RunRecord& record, const RunOptions& options) {
  if (!options.target_ci) return "";
  const Target target = compare_with_target(record, *options.target_ci);
  if (target.missed.empty()) return "";
  return fmt::format("{} of {} cells are known less well than --target-ci {:g} % asks for",
                     target.missed.size(), target.cells, *options.target_ci * 100);
}

// Of cells that lack it, such as a p99 of too few requests, more trials tell no more; empty if none does.
std::string note_on_cells_without_target(const RunRecord& record) {
  std::set<std::size_t> measured;
  std::set<std::size_t> with_target;
  for (const TrialResult& trial : record.trials) {
    if (!trial.ok()) continue;
    measured.insert(trial.cell);
    if (target_metric(record, trial)) with_target.insert(trial.cell);
  }
  const std::size_t without = measured.size() - with_target.size();
  if (without == 0) return "";
  return fmt::format(
      "{} of {} cells lack what answers their experiment, as a p99 is absent in a trial of too few "
      "requests, so --target-ci did not look at them; try a longer --duration.",
      without, measured.size());
}

// One more block for the cells that miss the target; docs/methodology.md tells what stopping by what
// was seen does to a comparison.
void add_block(RunSetup& setup, const RunOptions& options, Estimate& estimate) {
  const unsigned repetition = setup.order.empty() ? 0 : last_repetition(setup.order) + 1;
  if (!options.target_ci) return;
  RunRecord& record = setup.record;
  if (repetition >= options.max_trials) {
    if (const auto missed = missed_target(record, options); !missed.empty()) {
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

bool same_block(const PlannedTrial& a, const PlannedTrial& b) {
  return a.repetition == b.repetition && a.counting == b.counting;
}

}  // namespace

std::string early_end_note(const RunRecord& record, const RunOptions& options,
                           const PlannedTrial& next, bool at_block_start) {
  if (const auto missed = missed_target(record, options); !missed.empty()) {
    return fmt::format("The time of profile {} is over, and {}.", record.profile, missed);
  }
  if (at_block_start) {
    return fmt::format(
        "The run took longer than planned: it ends after repetition {} to keep the time of profile "
        "{}.",
        next.repetition, record.profile);
  }
  return fmt::format(
      "The run took longer than planned: it ends within repetition {} to keep the time of profile "
      "{}, so some cells have one trial fewer.",
      next.repetition + 1, record.profile);
}

TimeGuard::TimeGuard(Clock::time_point begin, const Profile& profile, Nanoseconds estimate) {
  // Amounts fixed on the command line may need more than the profile promises: the wish counts.
  if (profile.limit && estimate <= *profile.limit) end_ = begin + *profile.limit;
}

Nanoseconds TimeGuard::left(Clock::time_point now) const {
  return end_ ? *end_ - now : Nanoseconds::max();
}

bool TimeGuard::may_start_block(Clock::time_point now, Nanoseconds last_block) const {
  return left(now) >= last_block;
}

bool TimeGuard::may_start_trial(Clock::time_point now, Nanoseconds cost) const {
  return left(now) >= cost;
}

void run_trials(RunSetup& setup, const RunOptions& options, const std::string& scratch,
                Clock::time_point begin) {
  RunRecord& record = setup.record;
  const TimeGuard guard(begin, setup.profile, setup.estimate);
  Estimate estimate(setup);
  Patience patience;
  Progress progress(setup.order.size(), options.quiet);
  auto block_begin = Clock::now();

  for (std::size_t i = 0; !interrupted(); ++i) {
    if (i == setup.order.size()) add_block(setup, options, estimate);
    if (i == setup.order.size()) break;
    const PlannedTrial& planned = setup.order[i];
    const Cell& cell = record.cells[planned.cell];
    const Experiment& asked = record.experiments[cell.experiment];
    const Experiment experiment = planned.counting ? counting_version(asked) : asked;
    const auto now = Clock::now();
    const bool new_block = i > 0 && !same_block(planned, setup.order[i - 1]);
    if (new_block) {
      if (!guard.may_start_block(now, now - block_begin)) {
        record.notes.push_back(early_end_note(record, options, planned, true));
        break;
      }
      block_begin = now;
    }
    if (record.given_up.contains(cell.model)) {
      estimate.passed(i, Nanoseconds(0));
      continue;
    }
    if (!guard.may_start_trial(now, estimate.cost(i))) {
      record.notes.push_back(early_end_note(record, options, planned, false));
      break;
    }
    progress.update(i, estimate.left(), cell.id);
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
      // It failed because its time was cut.
      record.notes.push_back(early_end_note(record, options, planned, false));
      break;
    }
    result.cell = planned.cell;
    result.repetition = planned.repetition;
    result.order = i;
    result.started = now - begin;
    estimate.passed(i, result.took);
    if (!result.ok()) progress.say(fmt::format("failed: {}: {}", cell.id, result.error));
    if (!result.stop_error.empty()) {
      progress.say(fmt::format("flagged: {}: {}", cell.id, result.stop_error));
    }
    if (!planned.twin) patience.learn(record, result);
    (planned.counting ? record.counting_trials
     : planned.twin   ? record.twin_trials
                      : record.trials)
        .push_back(std::move(result));
  }
  if (options.target_ci) {
    if (auto note = note_on_cells_without_target(record); !note.empty()) {
      record.notes.push_back(std::move(note));
    }
  }
  record.interrupted = interrupted();
  record.finished = std::chrono::system_clock::now();
  record.stolen =
      stolen_between(record.stolen_before, stolen_since_boot(), !virtual_machine().empty());
  if (!record.stolen) {
    record.notes.push_back(
        "How much CPU time a hypervisor gave to others is unknown: /proc/stat does not tell it "
        "here.");
  }
}

}  // namespace muxbench
