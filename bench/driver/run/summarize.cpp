#include "run/summarize.h"

#include <algorithm>

#include "run/validity.h"

namespace muxbench {
namespace {

std::optional<double> memory_of(const TrialResult& trial) {
  if (!trial.memory) return {};
  return static_cast<double>(trial.memory->peak_bytes);
}

std::optional<CellCounts> counts_of(const RunRecord& record, std::size_t cell,
                                    const CellResult& result) {
  for (const TrialResult& trial : record.counting_trials) {
    const auto requests = number_at(trial.load, "/requests_in_run");
    if (trial.cell != cell || !trial.ok() || !trial.counts || !requests) continue;
    CellCounts found{.counts = *trial.counts, .requests = *requests, .throughput_ratio = {}};
    const auto untraced = result.summary.find("requests_per_second");
    const auto rate = trial.requests_per_second();
    if (untraced != result.summary.end() && untraced->second.median > 0 && rate) {
      found.throughput_ratio = *rate / untraced->second.median;
    }
    return found;
  }
  return {};
}

std::optional<double> per_request(const TrialResult& trial, Nanoseconds CpuTime::*part) {
  const auto requests = trial.answered();
  if (!trial.cpu || !trial.cpu->split || !requests) return {};
  return static_cast<double>(((*trial.cpu->split).*part).count()) / *requests;
}

CellResult result_of(const RunRecord& record, const Cell& cell,
                     const std::vector<const TrialResult*>& trials) {
  CellResult result;
  if (cell.skipped) {
    result.status = "skipped";
    result.reason = *cell.skipped;
    return result;
  }
  const auto given_up = record.given_up.find(cell.model);
  if (trials.empty() && given_up != record.given_up.end()) {
    result.status = "failed";
    result.reason = given_up->second;
    return result;
  }
  if (trials.empty()) {
    result.status = "missing";
    result.reason = record.interrupted ? "the run was interrupted before its first trial"
                                       : "the time of the profile ended before its first trial";
    return result;
  }
  const auto good =
      std::count_if(trials.begin(), trials.end(), [](const TrialResult* t) { return t->ok(); });
  if (good == 0) {
    result.status = "failed";
    result.reason = trials.back()->error;
    return result;
  }
  result.status = "measured";
  for (const Metric& metric : kMetrics) {
    std::vector<double> values;
    for (const TrialResult* trial : trials) {
      if (!trial->ok()) continue;
      if (const auto value = metric.of(*trial)) values.push_back(*value);
    }
    // A trial with too few requests for a percentile is the slow one: without it the median of the
    // others would tell a latency that the cell does not have.
    const bool told_by_all = std::ssize(values) == good || !metric.name.starts_with("latency_");
    if (!values.empty() && told_by_all) {
      result.summary.emplace(metric.name, statistics_of(std::move(values)));
    }
  }
  result.flags = flags_of(record, cell, trials, result.summary);
  return result;
}

}  // namespace

const std::array<Metric, 10> kMetrics{
    Metric{"requests_per_second",
           [](const TrialResult& t) { return number_at(t.load, "/achieved/requests_per_second"); }},
    Metric{"latency_mean_ns",
           [](const TrialResult& t) { return number_at(t.load, "/latency_ns/mean"); }},
    Metric{"latency_p50_ns",
           [](const TrialResult& t) { return number_at(t.load, "/latency_ns/p50"); }},
    Metric{"latency_p99_ns",
           [](const TrialResult& t) { return number_at(t.load, "/latency_ns/p99"); }},
    Metric{"server_cpu_ns_per_request",
           [](const TrialResult& t) { return t.cpu_ns_per_request(); }},
    Metric{"server_user_ns_per_request",
           [](const TrialResult& t) { return per_request(t, &CpuTime::user); }},
    Metric{"server_system_ns_per_request",
           [](const TrialResult& t) { return per_request(t, &CpuTime::system); }},
    Metric{"server_memory_bytes", memory_of},
    Metric{"process_bytes_per_connection",
           [](const TrialResult& t) { return t.process_bytes_per_connection; }},
    Metric{"kernel_bytes_per_connection",
           [](const TrialResult& t) { return t.kernel_bytes_per_connection; }},
};

const Metric* find_metric(std::string_view name) {
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                  [&](const Metric& metric) { return metric.name == name; });
  return found == kMetrics.end() ? nullptr : &*found;
}

std::vector<std::vector<const TrialResult*>> trials_by_cell(const RunRecord& record) {
  std::vector<std::vector<const TrialResult*>> by_cell(record.cells.size());
  for (const TrialResult& trial : record.trials) by_cell[trial.cell].push_back(&trial);
  return by_cell;
}

void summarize(RunRecord& record) {
  const auto by_cell = trials_by_cell(record);
  record.results.clear();
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    CellResult result = result_of(record, record.cells[i], by_cell[i]);
    if (result.status == "measured") result.counts = counts_of(record, i, result);
    record.results.push_back(std::move(result));
  }
}

}  // namespace muxbench
