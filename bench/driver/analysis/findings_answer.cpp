// The answer: for each question that users have, the models to take and those to avoid.
#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/findings_parts.h"

namespace muxbench {
namespace {

using report::AnswerEntry;
using report::AnswerRow;
using report::Cell;

struct Question {
  std::string_view title;
  std::string_view experiment;
  // Asked at the last point where two models can be ranked: by the first of these by which the
  // reference and at least half of the models can be.
  std::array<std::string_view, 2> metrics;
};

constexpr std::array kQuestions{
    Question{"many idle connections", "idle", {"server_cpu_ns_per_request"}},
    Question{"many busy connections",
             "connections",
             {"requests_per_second", "server_cpu_ns_per_request"}},
    Question{"tail latency at a given rate", "latency", {"latency_p99_ns"}},
    Question{"short connections", "churn", {"server_cpu_ns_per_request"}},
    Question{"requests that need CPU time", "work_spin", {"server_cpu_ns_per_request"}},
    Question{"blocking handlers", "work_block", {"requests_per_second"}},
    Question{"requests that wait for a child process", "work_child", {"requests_per_second"}},
    Question{"memory per connection", "idle", {"server_bytes_per_connection"}},
};

constexpr double kNear = 1.25;    // what costs no more may be as good as the best one
constexpr double kToAvoid = 1.5;  // less is no reason to avoid a model

bool has_point(const Cell& cell, const Point& point) { return cell.point == point; }

std::size_t measured_at(const report::Experiment& experiment, const Point& point) {
  return static_cast<std::size_t>(
      std::count_if(experiment.cells.begin(), experiment.cells.end(),
                    [&](const Cell& cell) { return has_point(cell, point) && cell.measured(); }));
}

// Where and by what a question is answered; the metric is null where it is not.
struct Place {
  Point point;
  const Metric* metric = nullptr;
  std::vector<Candidate> candidates;  // the best one first
};

Place place_of(const Question& question, const report::Experiment& experiment, const Basis& basis) {
  const auto points = experiment.points();
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    const Cell* reference = reference_at(experiment, *point);
    for (const std::string_view key : question.metrics) {
      if (key.empty()) continue;
      const Metric& metric = metric_of(key);
      const bool last_resort = key == question.metrics.back() || question.metrics.back().empty();
      auto candidates = candidates_at(experiment, *point, metric, basis);
      const bool with_reference =
          std::any_of(candidates.begin(), candidates.end(),
                      [&](const Candidate& one) { return one.cell == reference; });
      const bool most = 2 * candidates.size() >= measured_at(experiment, *point);
      if (candidates.size() < 2 || !with_reference || (!last_resort && !most)) continue;
      return {.point = *point, .metric = &metric, .candidates = std::move(candidates)};
    }
  }
  return {};
}

std::optional<AnswerEntry> entry_of(const Candidate& candidate, const Metric& metric) {
  const auto found = candidate.cell->relative.find(std::string(metric.key));
  if (found == candidate.cell->relative.end()) return {};
  return AnswerEntry{.model = candidate.cell->model,
                     .value = candidate.value,
                     .ratio = found->second.ratio,
                     .low = found->second.low,
                     .high = found->second.high};
}

// What the leader saves: 2 where the candidate takes twice as much, or does half as much.
double cost_beside(const Candidate& candidate, const Candidate& leader, const Metric& metric) {
  return metric.more_is_better ? leader.value / candidate.value : candidate.value / leader.value;
}

void add_models(const Place& place, const Basis& basis, const Cell* reference, AnswerRow& row) {
  const Candidate& leader = place.candidates.front();
  for (const Candidate& candidate : place.candidates) {
    const auto entry = entry_of(candidate, *place.metric);
    if (!entry) continue;
    const bool beaten = candidate.cell != leader.cell &&
                        verdict_between(basis, *candidate.cell, *leader.cell, *place.metric,
                                        place.candidates.size() - 1) == Verdict::faster;
    const double cost = cost_beside(candidate, leader, *place.metric);
    if (!beaten && cost < kNear) {
      row.best.push_back(*entry);
    } else if (beaten && cost >= kToAvoid) {
      row.avoid.insert(row.avoid.begin(), *entry);  // the worst one first
    } else {
      row.between.push_back(*entry);
    }
  }
  // Of several that cannot be told apart the reference is the one that everyone knows.
  const auto known = std::find_if(row.best.begin(), row.best.end(), [&](const AnswerEntry& entry) {
    return entry.model == reference->model;
  });
  if (known != row.best.end()) std::rotate(row.best.begin(), known, known + 1);
}

// Models that were not ranked, by the reason: that they cannot do it comes first.
void add_unable(const report::Experiment& experiment, const Place& place, AnswerRow& row) {
  const auto add = [&](const std::string& reason, const std::string& model) {
    const auto known =
        std::find_if(row.unable.begin(), row.unable.end(),
                     [&](const report::AnswerUnable& one) { return one.reason == reason; });
    if (known == row.unable.end()) {
      row.unable.push_back({.reason = reason, .models = {model}});
    } else {
      known->models.push_back(model);
    }
  };
  for (const Cell& cell : experiment.cells) {
    if (has_point(cell, place.point) && !cell.measured()) add(cell.reason, cell.model);
  }
  for (const Cell& cell : experiment.cells) {
    if (!has_point(cell, place.point) || !cell.measured()) continue;
    const bool ranked =
        std::any_of(place.candidates.begin(), place.candidates.end(),
                    [&](const Candidate& candidate) { return candidate.cell == &cell; });
    if (ranked) continue;
    const Flag* flag = forbidding_flag(cell.flags, place.metric->key);
    const auto withheld = cell.withheld.find(std::string(place.metric->key));
    add(flag != nullptr                   ? "flagged as " + flag->kind
        : withheld != cell.withheld.end() ? withheld->second
                                          : "not known here",
        cell.model);
  }
}

AnswerRow row_of(const Question& question, const report::Report& report, const Basis& basis) {
  AnswerRow row{.question = std::string(question.title),
                .experiment = std::string(question.experiment)};
  const auto experiment =
      std::find_if(report.experiments.begin(), report.experiments.end(),
                   [&](const report::Experiment& one) { return one.name == row.experiment; });
  if (experiment == report.experiments.end()) return row;
  row.measured = true;
  const Place place = place_of(question, *experiment, basis);
  if (place.metric == nullptr) return row;
  const Cell* reference = reference_at(*experiment, place.point);
  row.point = place.point;
  row.where = report::format_point(*experiment, place.point);
  row.metric = std::string(place.metric->key);
  row.reference = reference->model;
  add_models(place, basis, reference, row);
  add_unable(*experiment, place, row);
  return row;
}

double quantile_of(const std::vector<double>& sorted, double q) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::ceil(q * last))];
}

report::Trust trust_of(const report::Report& report, const report::Conclusions& conclusions) {
  constexpr const char* kCost = "server_cpu_ns_per_request";
  report::Trust trust;
  std::vector<double> widths;
  for (const report::Experiment& experiment : report.experiments) {
    for (const Cell& cell : experiment.cells) {
      const auto relative = cell.relative.find(kCost);
      if (relative == cell.relative.end() || relative->second.low == relative->second.high)
        continue;
      widths.push_back(std::sqrt(relative->second.high / relative->second.low) - 1);
    }
  }
  trust.cells = widths.size();
  if (!widths.empty()) {
    std::sort(widths.begin(), widths.end());
    trust.half_width_of_half = quantile_of(widths, 0.5);
    trust.half_width_of_most = quantile_of(widths, 0.9);
  }
  for (const Cell& twin : report.twins) {
    const auto relative = twin.relative.find(kCost);
    if (relative == twin.relative.end()) continue;
    const double ratio = relative->second.ratio;
    trust.twins_apart = std::max(trust.twins_apart.value_or(0), std::max(ratio, 1 / ratio) - 1);
  }
  for (const report::HostStates& states : conclusions.host_states) {
    const double change =
        states.levels.back().cpu_ns_per_request / states.levels.front().cpu_ns_per_request - 1;
    if (states.levels.size() > 1)
      trust.host_change = std::max(trust.host_change.value_or(0), change);
  }
  return trust;
}

}  // namespace

report::Answer answer_of(const report::Report& report, const Basis& basis,
                         const report::Conclusions& conclusions) {
  report::Answer answer{.trust = trust_of(report, conclusions), .rows = {}};
  for (const Question& question : kQuestions) {
    answer.rows.push_back(row_of(question, report, basis));
  }
  return answer;
}

}  // namespace muxbench
