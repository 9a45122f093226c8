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
    const bool all_have_it = std::ssize(values) == good || !metric.key.starts_with("latency_");
    if (!values.empty() && all_have_it) {
      cell.summary.emplace(metric.key, statistics_of(std::move(values)));
    }
  }
  std::vector<const TrialResult*> found;
  for (const TrialPair& trial : trials) found.push_back(trial.found);
  cell.flags = flags_of(record, planned, found, cell.summary);
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

}  // namespace

std::vector<report::Cell> summarize_cells(const RunRecord& record,
                                          const std::vector<report::Trial>& trials) {
  std::vector<std::vector<TrialPair>> by_cell(record.cells.size());
  for (std::size_t i = 0; i < trials.size(); ++i) {
    by_cell[record.trials[i].cell].push_back({&record.trials[i], &trials[i]});
  }
  std::vector<report::Cell> cells;
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    const Cell& planned = record.cells[i];
    report::Cell cell{.id = planned.id,
                      .model = record.models[planned.model].name,
                      .experiment = record.experiments[planned.experiment].name,
                      .point = planned.point};
    summarize(record, planned, by_cell[i], cell);
    if (cell.measured()) cell.counts = counts_of(record, i, cell);
    cells.push_back(std::move(cell));
  }
  return cells;
}

}  // namespace muxbench
