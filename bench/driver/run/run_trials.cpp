#include "run/run_trials.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "plan/extra_trials.h"
#include "plan/trial_cost.h"
#include "report/report.h"
#include "run/precision_target.h"
#include "run/round_times.h"
#include "run/run_round.h"
#include "run/time_guard.h"
#include "system/cpu_affinity.h"
#include "system/interrupt.h"

namespace muxbench {
namespace {

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
      const Model& model = setup.record.models[cell.model];
      Nanoseconds cost{};
      if (!planned.counting) cost += cell_cost(model, experiment, cell);
      if (planned.counting || planned.counted) cost += counting_cost(model, experiment, cell);
      costs_.push_back(cost);
      left_ += cost;
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

// The cells that one more block is for; none: the run is over. docs/statistics.md says what stopping
// by what was seen does to a comparison.
std::vector<std::size_t> cells_to_go_on_with(RunSetup& setup, const RunOptions& options,
                                             unsigned repetition) {
  if (options.target_ci && repetition >= options.max_trials) {
    if (const auto missed = missed_target(setup.record, *options.target_ci); !missed.empty()) {
      setup.record.notes.push_back(
          fmt::format("After {} trials (--max-trials) {}.", repetition, missed));
    }
    return {};
  }
  if (options.target_ci) return compare_with_target(setup.record, *options.target_ci).missed;
  if (options.budget) return undecided_cells(setup.record);
  return {};
}

// In slices a cell is compared with the reference in the same block; the twin takes part too.
void add_company(const RunSetup& setup, unsigned repetition, std::vector<PlannedTrial>& block) {
  const RunRecord& record = setup.record;
  std::set<std::pair<std::size_t, Point>> points;
  std::set<std::size_t> there;
  for (const PlannedTrial& trial : block) {
    const Cell& cell = record.cells[trial.cell];
    if (cell.method == Method::slices) points.emplace(cell.experiment, cell.point);
    there.insert(trial.cell);
  }
  for (const std::size_t twin : twin_cells(record.cells, record.experiments, record.models)) {
    const Cell& cell = record.cells[twin];
    if (!points.contains({cell.experiment, cell.point})) continue;
    if (!there.contains(twin)) block.push_back({.cell = twin, .repetition = repetition});
    block.push_back({.cell = twin, .repetition = repetition, .twin = true});
  }
}

void add_block(RunSetup& setup, const RunOptions& options, Estimate& estimate) {
  RunRecord& record = setup.record;
  const unsigned repetition = setup.order.empty() ? 0 : last_repetition(setup.order) + 1;
  std::vector<PlannedTrial> block;
  for (const std::size_t cell : cells_to_go_on_with(setup, options, repetition)) {
    block.push_back({.cell = cell, .repetition = repetition});
  }
  add_company(setup, repetition, block);
  const std::size_t begin = setup.order.size();
  setup.order.insert(setup.order.end(), block.begin(), block.end());
  shuffle_trials(setup.order, begin, record.cells, record.seed + repetition);
  estimate.add(setup, begin);
  record.planned_trials += static_cast<std::size_t>(std::count_if(
      block.begin(), block.end(), [](const PlannedTrial& trial) { return !trial.twin; }));
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
    record.notes.push_back(options.budget ? fmt::format("The time of --budget is over: {}.", cut)
                                          : early_end_note(record, options.target_ci, cut));
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

TrialKind kind_of(const PlannedTrial& planned) {
  return planned.counting ? TrialKind::counting : planned.twin ? TrialKind::twin : TrialKind::trial;
}

// Takes the steps of a plan one after the other: what an earlier process had finished from the journal,
// the rest by measuring it. What they found goes into the record.
class Runner {
 public:
  Runner(RunSetup& setup, const RunOptions& options, const std::string& scratch,
         Clock::time_point begin, Journal& journal, RunObserver& observer)
      : setup_(setup),
        record_(setup.record),
        options_(options),
        scratch_(scratch),
        begin_(begin),
        journal_(journal),
        observer_(observer),
        guard_(begin, setup.profile, setup.estimate),
        estimate_(setup),
        earlier_(journal.take_steps()) {
    if (auto foreign = ForeignCpu::open()) foreign_ = std::move(*foreign);
  }

  // What the plan lost to the time, if anything.
  std::string run() {
    const OnCpus beside_the_load(record_.cpus.load);
    std::size_t i = 0;
    while (!interrupted()) {
      if (i == setup_.order.size() && cut_.empty()) add_block(setup_, options_, estimate_);
      if (i > 0 && i < setup_.order.size()) begin_block(i);
      if (i == setup_.order.size()) break;
      const std::size_t end = end_of_round(setup_.order, record_.cells, i);
      const std::vector<std::size_t> wanted = without_given_up(i, end);
      if (!wanted.empty() && !step(wanted, least_cost(i, end))) break;
      i = end;
    }
    add_what_comes_after(i);
    return cut_;
  }

 private:
  // False: the run ends here. A failure of an earlier process gets another try.
  bool step(const std::vector<std::size_t>& wanted, Nanoseconds cost) {
    const std::size_t first = wanted.front();
    const bool in_time = guard_.may_start_trial(Clock::now(), cost);
    const auto earlier = earlier_.find(first);
    const bool is_there = earlier != earlier_.end() && has_all(earlier->second, wanted);
    if (is_there && (all_ok(earlier->second) || !in_time)) {
      take(std::move(earlier_.extract(earlier).mapped()));
      return true;
    }
    if (!in_time) {
      cut_ += ended_within(setup_.order[first], cut_);
      return false;
    }
    return is_sliced(first) ? round(wanted) : trial(first);
  }

  bool has_all(const Step& step, const std::vector<std::size_t>& wanted) const {
    using Part = std::tuple<std::size_t, TrialKind, std::size_t, unsigned>;
    std::set<Part> expected;
    for (const std::size_t i : wanted) {
      const PlannedTrial& planned = setup_.order[i];
      expected.emplace(i, kind_of(planned), planned.cell, planned.repetition);
      if (planned.counted) {
        expected.emplace(i, TrialKind::counting, planned.cell, planned.repetition);
      }
    }
    std::set<Part> there;
    for (const auto& [kind, result] : step.outcomes) {
      there.emplace(result.order, kind, result.cell, result.repetition);
    }
    return there == expected;
  }

  // Of an earlier process, where this one ends before it comes to them.
  void add_what_comes_after(std::size_t i) {
    for (auto step = earlier_.lower_bound(i); step != earlier_.end(); ++step) {
      add_step(record_, patience_, std::move(step->second));
    }
  }

  // At the start of a block: the experiments that do not fit any more are left out of it.
  void begin_block(std::size_t i) {
    if (same_block(setup_.order[i], setup_.order[i - 1])) return;
    observer_.repetition_ends(record_, setup_.order[i].repetition,
                              last_repetition(setup_.order) + 1);
    const auto& cuts = journal_.content().cuts;
    if (const auto cut = cuts.find(i); cut != cuts.end()) return cut_to(i, cut->second);
    if (earlier_.lower_bound(i) != earlier_.end()) return;  // an earlier process found it to fit
    const auto expected = [&](std::size_t trial) { return least_cost(trial, trial + 1); };
    const auto block = expected_block(record_, setup_.order, i, expected);
    const auto fitting = guard_.fitting(Clock::now(), block);
    if (fitting.size() == block.size()) return;
    told(journal_.note_cut(i, fitting));
    cut_to(i, fitting);
  }

  void cut_to(std::size_t i, const std::set<std::size_t>& experiments) {
    cut_ = shortened_block(record_, setup_.order[i], experiments);
    shorten(setup_, estimate_, i, experiments);
  }

  std::vector<std::size_t> without_given_up(std::size_t from, std::size_t to) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = from; i < to; ++i) {
      if (record_.given_up.contains(record_.cells[setup_.order[i].cell].model)) {
        estimate_.skipped(i);
      } else {
        wanted.push_back(i);
      }
    }
    return wanted;
  }

  bool is_sliced(std::size_t i) const {
    return record_.cells[setup_.order[i].cell].method == Method::slices;
  }

  // Of a trial, a round or a part of one. A round that is short of time has fewer blocks.
  Nanoseconds least_cost(std::size_t from, std::size_t to) const {
    if (!is_sliced(from)) return estimate_.at_this_pace(estimate_.cost(from));
    const RoundTime time = times_.expected(record_, setup_.order, from, to);
    return time.opening + time.counting + kFewestBlocks * time.block;
  }

  std::string listen() const {
    if (setup_.veth) return setup_.veth->listen;
    return record_.load_hosts.any() ? record_.load_hosts.listen : TrialSetup().listen;
  }

  TrialSetup setup_of(const PlannedTrial& planned) const {
    const Cell& cell = record_.cells[planned.cell];
    const Experiment& experiment = record_.experiments[cell.experiment];
    return {.model = &record_.models[cell.model],
            .experiment = &experiment,
            .cell = &cell,
            .loadgen = options_.loadgen,
            .hosts = record_.load_hosts.any() ? &record_.load_hosts : nullptr,
            .listen = listen(),
            .load_network = setup_.veth ? setup_.veth->load.get() : -1,
            .scratch = scratch_,
            .server_cpus = record_.cpus.server,
            .load_cpus = record_.cpus.load,
            .load_timeout = load_timeout(experiment, cell.settings),
            .quotas = &quotas_,
            .server_memory = options_.server_memory};
  }

  // False: the run ends here.
  bool trial(std::size_t i) {
    const PlannedTrial& planned = setup_.order[i];
    const Cell& cell = record_.cells[planned.cell];
    const auto now = Clock::now();
    if (setup_.counter && !planned.counting) setup_.counter->release();
    observer_.trial_begins(i, setup_.order.size(), estimate_.left(), cell.id);
    TrialSetup trial = setup_of(planned);
    const Experiment counted = counting_version(*trial.experiment);
    if (planned.counting) {
      trial.experiment = &counted;
      trial.load_timeout = load_timeout(counted, cell.settings);
      trial.counter = setup_.counter.get();
    }
    if (guard_.limited()) trial.load_timeout = std::min(trial.load_timeout, guard_.left(now));
    TrialResult result = run_trial(trial);
    if (interrupted()) return false;  // an unfinished trial is no result
    if (!result.ok() && guard_.left(Clock::now()) <= Nanoseconds(0)) {
      cut_ += ended_within(planned, cut_);  // it failed because its time was cut
      return false;
    }
    result.started = now - begin_;
    Step step{.place = i};
    step.outcomes.push_back(outcome_of(i, kind_of(planned), std::move(result)));
    finish(std::move(step));
    return true;
  }

  bool round(const std::vector<std::size_t>& wanted) {
    const PlannedTrial& first = setup_.order[wanted.front()];
    const Cell& cell = record_.cells[first.cell];
    const Experiment& experiment = record_.experiments[cell.experiment];
    const auto now = Clock::now();
    if (setup_.counter) setup_.counter->release();
    observer_.trial_begins(wanted.front(), setup_.order.size(), estimate_.left(),
                           fmt::format("{} {}, round {}: {} servers", experiment.name,
                                       to_string(cell.point), first.repetition + 1, wanted.size()));
    const auto calibrated = plans_.find({cell.experiment, cell.point});
    const bool is_calibrated = calibrated != plans_.end();
    RoundRequest request{
        .parts = {},
        .plan = is_calibrated ? calibrated->second : plan_slices(experiment, cell.settings),
        .calibrated = is_calibrated,
        .seed = record_.seed + wanted.front(),
        .began = begin_,
        .blocks_time = blocks_time(wanted.front(), now),
        .foreign = foreign_ ? &*foreign_ : nullptr,
        .counter = setup_.counter.get()};
    const std::size_t reference = reference_of(wanted);
    for (const std::size_t i : wanted) {
      const PlannedTrial& planned = setup_.order[i];
      request.parts.push_back({.setup = setup_of(planned),
                               .counted = planned.counted,
                               .reference = planned.cell == reference});
    }
    RoundResult found = run_round(request);
    if (interrupted()) return false;
    const Nanoseconds each = (Clock::now() - now) / static_cast<long>(wanted.size());
    Step step{.place = wanted.front(), .took = found.took};
    for (std::size_t part = 0; part < wanted.size(); ++part) {
      const std::size_t i = wanted[part];
      RoundMember::Found& of_part = found.found[part];
      of_part.result.took = each;
      if (of_part.counts) {
        step.outcomes.push_back(outcome_of(i, TrialKind::counting, std::move(*of_part.counts)));
      }
      step.outcomes.push_back(outcome_of(i, kind_of(setup_.order[i]), std::move(of_part.result)));
    }
    finish(std::move(step));
    return true;
  }

  // The cell that all are compared with, as in analysis/paired_slices.h.
  std::size_t reference_of(const std::vector<std::size_t>& wanted) const {
    std::size_t first = setup_.order[wanted.front()].cell;
    for (const std::size_t i : wanted) {
      const std::size_t cell = setup_.order[i].cell;
      if (record_.models[record_.cells[cell].model].name == report::kReference) return cell;
      first = std::min(first, cell);
    }
    return first;
  }

  std::optional<Nanoseconds> blocks_time(std::size_t from, Clock::time_point now) const {
    if (!guard_.limited()) return {};
    RoundsLeft all;
    std::optional<Nanoseconds> next;
    for (std::size_t i = from; i < setup_.order.size();) {
      const std::size_t end = end_of_round(setup_.order, record_.cells, i);
      if (is_sliced(i)) {
        const RoundTime time = times_.expected(record_, setup_.order, i, end);
        const Cell& cell = record_.cells[setup_.order[i].cell];
        const auto plan = plan_slices(record_.experiments[cell.experiment], cell.settings);
        all.fixed += time.opening + time.counting;
        all.blocks += plan.blocks * time.block;
        if (!next) next = all.blocks;
      } else {
        all.fixed += estimate_.at_this_pace(estimate_.cost(i));
      }
      i = end;
    }
    return time_for_blocks(guard_.left(now), all, next.value_or(Nanoseconds(0)));
  }

  Outcome outcome_of(std::size_t i, TrialKind kind, TrialResult result) const {
    result.cell = setup_.order[i].cell;
    result.repetition = setup_.order[i].repetition;
    result.order = i;
    return {.kind = kind, .result = std::move(result)};
  }

  // Of a step that was measured now.
  void finish(Step step) {
    for (const Outcome& outcome : step.outcomes) {
      const std::string& cell = record_.cells[outcome.result.cell].id;
      const TrialResult& result = outcome.result;
      if (!result.ok() && !result.uncountable) {
        observer_.remark(fmt::format("failed: {}: {}", cell, result.error));
      }
      if (!result.stop_error.empty()) {
        observer_.remark(fmt::format("flagged: {}: {}", cell, result.stop_error));
      }
    }
    earlier_.erase(step.place);
    step.ended = Clock::now() - begin_;
    told(journal_.note(step));
    take(std::move(step));
  }

  // What the run learns from a step, whoever measured it.
  void take(Step step) {
    const bool sliced = is_sliced(step.place);
    for (const auto& [kind, result] : step.outcomes) {
      // Counting within a round is part of that.
      if (sliced && kind == TrialKind::counting) continue;
      estimate_.passed(result.order, result.took);
    }
    if (sliced) {
      const TrialResult& last = step.outcomes.back().result;
      const Cell& cell = record_.cells[last.cell];
      plans_[{cell.experiment, cell.point}] = last.slice_plan;
      times_.learn(record_, setup_.order, step.place, last.order + 1, step.took);
    }
    add_step(record_, patience_, std::move(step));
  }

  // Without its journal the run goes on: its report may still be written.
  void told(const Result<>& noted) {
    if (noted || std::exchange(told_, true)) return;
    observer_.remark(noted.error().message +
                     "; the run goes on, and what it measures is lost if it is killed");
  }

  RunSetup& setup_;
  RunRecord& record_;
  const RunOptions& options_;
  const std::string& scratch_;
  Clock::time_point begin_;
  Journal& journal_;
  RunObserver& observer_;
  TimeGuard guard_;
  Estimate estimate_;
  RoundTimes times_;
  Patience patience_;
  std::optional<ForeignCpu> foreign_;
  const CpuQuotas quotas_ = CpuQuotas::of_this_process();
  std::map<std::pair<std::size_t, Point>, SlicePlan> plans_;  // as calibrated in the first round
  std::map<std::size_t, Step> earlier_;  // of the journal, by their place; without those taken
  bool told_ = false;                    // that the journal cannot be written
  std::string cut_;
};

}  // namespace

void run_trials(RunSetup& setup, const RunOptions& options, const std::string& scratch,
                Clock::time_point begin, Journal& journal, RunObserver& observer) {
  RunRecord& record = setup.record;
  const auto began = begin - journal.content().used;
  const std::string cut = Runner(setup, options, scratch, began, journal, observer).run();
  record.interrupted = interrupted();
  record.finished = std::chrono::system_clock::now();
  record.steal_time = steal_time_between(record.steal_time_before, steal_time_since_boot(),
                                         !virtual_machine().empty());
  add_notes(record, options, cut);
}

}  // namespace muxbench
