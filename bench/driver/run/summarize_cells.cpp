#include "run/summarize_cells.h"

#include <algorithm>
#include <cmath>

#include "run/validity.h"
#include "system/counting/counts_json.h"

namespace muxbench {
namespace {

struct TrialPair {
  const TrialResult* found;
  const report::Trial* reported;
};

std::optional<report::Counts> counts_of(const RunRecord& record, std::size_t index,
                                        const report::Cell& cell) {
  for (const TrialResult& trial : record.counting_trials) {
    const auto requests = trial.load.requests_in_run;
    if (trial.cell != index || !trial.ok() || !trial.counts || !requests) continue;
    report::Counts counts{
        .requests = *requests,
        .calls = static_cast<double>(trial.counts->total_calls),
        .context_switches = static_cast<double>(trial.counts->voluntary_switches +
                                                trial.counts->involuntary_switches),
        .json = to_json(*trial.counts, record.backends.back().name)};
    counts.json["requests"] = std::llround(*requests);
    const Statistics* uncounted = cell.metric("requests_per_second");
    const auto rate = trial.requests_per_second();
    if (uncounted != nullptr && uncounted->median > 0 && rate) {
      counts.json["throughput_ratio"] = *rate / uncounted->median;
    }
    return counts;
  }
  return {};
}

// Throughput and latencies are not reported.
void withhold(const std::string& reason, report::Cell& cell) {
  for (const Metric& metric : metrics()) {
    if (metric.key != "requests_per_second" && !metric.key.starts_with("latency_")) continue;
    cell.summary.erase(std::string(metric.key));
    cell.withheld.emplace(metric.key, reason);
  }
}

void judge_slices(const std::vector<const TrialResult*>& trials, report::Cell& cell) {
  constexpr double kFewestRequests = 10;
  report::Undisturbed count;
  double requests = 0;
  for (const TrialResult* trial : trials) {
    if (!trial->ok()) continue;
    count.slices += undisturbed(trial->slices);
    count.of += trial->slices.size();
    for (const Slice& slice : trial->slices) requests += slice.requests;
  }
  cell.undisturbed = count;
  if (count.slices < report::kFewestUndisturbed) {
    const std::string reason = fmt::format(
        "other processes disturbed all but {} of {} slices, and it takes {}; stop them, or measure "
        "longer",
        count.slices, count.of, report::kFewestUndisturbed);
    withhold(reason, cell);
    cell.flags.push_back({"few_undisturbed", reason});
  } else if (requests < kFewestRequests * static_cast<double>(count.of)) {
    withhold(fmt::format("its slices hold {:.1f} requests on average, and it takes {:g}; --method "
                         "trials measures longer windows",
                         requests / static_cast<double>(count.of), kFewestRequests),
             cell);
  }
}

void measure(const RunRecord& record, const Cell& planned, const std::vector<TrialPair>& trials,
             report::Cell& cell) {
  const auto good = std::count_if(trials.begin(), trials.end(),
                                  [](const TrialPair& trial) { return trial.found->ok(); });
  if (good == 0) {
    cell.status = "failed";
    cell.reason = trials.back().found->error;
    return;
  }
  cell.status = "measured";
  for (const Metric& metric : metrics()) {
    std::vector<double> values;
    for (const TrialPair& trial : trials) {
      const auto value = trial.reported->values.find(metric.key);
      if (value != trial.reported->values.end()) values.push_back(value->second);
    }
    // A trial with too few requests for a percentile is the slow one: without it the median of the
    // others would be a latency that the cell does not have.
    // Of slices, an undisturbed one may be in no round but the others.
    const bool all_have_it =
        cell.sliced() || std::ssize(values) == good || !metric.key.starts_with("latency_");
    if (!values.empty() && all_have_it) {
      cell.summary.emplace(metric.key, statistics_of(std::move(values)));
    }
  }
  std::vector<const TrialResult*> found;
  for (const TrialPair& trial : trials) found.push_back(trial.found);
  if (cell.sliced()) judge_slices(found, cell);
  for (Flag& flag : flags_of(record, planned, found)) cell.flags.push_back(std::move(flag));
}

void summarize(const RunRecord& record, const Cell& planned, const std::vector<TrialPair>& trials,
               report::Cell& cell) {
  const auto given_up = record.given_up.find(planned.model);
  if (planned.skipped) {
    cell.status = "skipped";
    cell.reason = *planned.skipped;
  } else if (trials.empty() && given_up != record.given_up.end()) {
    cell.status = "failed";
    cell.reason = given_up->second;
  } else if (trials.empty()) {
    cell.status = "missing";
    cell.reason = record.interrupted ? "the run was interrupted before its first trial"
                                     : "the time of the profile ended before its first trial";
  } else {
    measure(record, planned, trials, cell);
  }
}

// The trials of each cell, by its place in the record.
std::vector<std::vector<TrialPair>> by_cell(const RunRecord& record,
                                            const std::vector<TrialResult>& found,
                                            const std::vector<report::Trial>& reported) {
  std::vector<std::vector<TrialPair>> trials(record.cells.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    trials[found[i].cell].push_back({&found[i], &reported[i]});
  }
  return trials;
}

report::Cell cell_of(const RunRecord& record, const Cell& planned,
                     const std::vector<TrialPair>& trials) {
  report::Cell cell{.id = planned.id,
                    .model = record.models[planned.model].name,
                    .experiment = record.experiments[planned.experiment].name,
                    .point = planned.point};
  cell.method = to_string(planned.method);
  summarize(record, planned, trials, cell);
  return cell;
}

}  // namespace

std::vector<report::Cell> summarize_cells(const RunRecord& record,
                                          const std::vector<report::Trial>& trials) {
  const auto pairs = by_cell(record, record.trials, trials);
  std::vector<report::Cell> cells;
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    report::Cell cell = cell_of(record, record.cells[i], pairs[i]);
    if (cell.measured()) cell.counts = counts_of(record, i, cell);
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<report::Cell> summarize_twins(const RunRecord& record,
                                          const std::vector<report::Trial>& trials) {
  const auto pairs = by_cell(record, record.twin_trials, trials);
  std::vector<report::Cell> twins;
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    if (pairs[i].empty()) continue;
    report::Cell twin = cell_of(record, record.cells[i], pairs[i]);
    twin.id = report::twin_id(twin.id);
    twins.push_back(std::move(twin));
  }
  return twins;
}

}  // namespace muxbench
