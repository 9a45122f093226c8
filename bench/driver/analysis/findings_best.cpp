// Which models are best in an experiment, point by point, with ties named as ties; and what a
// request costs each of them in system calls and context switches.
#include <algorithm>
#include <array>

#include "analysis/findings_parts.h"
#include "analysis/verdict.h"
#include "base/format.h"

namespace muxbench {
namespace {

// Asked of every experiment; the others only where they answer it.
constexpr std::array kAlwaysAsked{"requests_per_second", "latency_p99_ns",
                                  "server_cpu_ns_per_request", "server_memory_bytes"};

// More names than this tell less than their number.
constexpr std::size_t kMostNames = 6;

double value_of(const report::Cell& cell, const report::Cell& reference, const Metric& metric,
                const Basis& basis) {
  const Statistics* own = cell.metric(metric.key);
  const Statistics* beside = reference.metric(metric.key);
  if (beside == nullptr || !basis.slices.ratio(reference.id, cell.id, metric.key)) {
    return own->median;
  }
  return beside->median * factor_between(basis, reference, cell, metric);
}

struct Clause {
  std::string text;
  bool unique;
};

// "**a** at idle 0 (191 k/s; next b with 180 k/s)", or a tie.
Clause clause_of(const Metric& metric, const std::vector<Candidate>& candidates,
                 const std::string& where, const Basis& basis) {
  const Candidate& best = candidates.front();
  std::vector<std::string> tied;
  std::vector<std::string> behind;
  for (const Candidate& candidate : candidates) {
    // Beyond doubt, among as many models as could be ranked.
    const bool beaten =
        candidate.cell != best.cell && verdict_between(basis, *candidate.cell, *best.cell, metric,
                                                       candidates.size() - 1) == Verdict::faster;
    (beaten ? behind : tied).push_back(candidate.cell->model);
  }
  const std::string value = format_value(metric, best.value);
  if (tied.size() == 1) {
    return {fmt::format("**{}** at {} ({}; next {} with {})", best.cell->model, where, value,
                        candidates[1].cell->model, format_value(metric, candidates[1].value)),
            true};
  }
  if (tied.size() == candidates.size() && tied.size() > kMostNames) {
    return {
        fmt::format("a tie of all {} models ranked at {} (about {})", tied.size(), where, value),
        false};
  }
  if (tied.size() > kMostNames) {
    const std::string less =
        behind.size() > kMostNames ? "" : fmt::format(", ahead of {}", fmt::join(behind, ", "));
    return {fmt::format("a tie of {} of the {} models ranked at {} (about {}){}", tied.size(),
                        candidates.size(), where, value, less),
            false};
  }
  return {fmt::format("a tie of {} at {} (about {})", fmt::join(tied, ", "), where, value), false};
}

// The one that answers the experiment comes first.
std::vector<const Metric*> questions_of(const report::Experiment& experiment) {
  std::vector<const Metric*> questions;
  for (const Metric& metric : metrics()) {
    const bool answers = metric.key == experiment.metric;
    const bool always =
        std::find(kAlwaysAsked.begin(), kAlwaysAsked.end(), metric.key) != kAlwaysAsked.end();
    if (experiment.open_loop && metric.more_is_better) continue;
    if (answers) questions.insert(questions.begin(), &metric);
    if (!answers && always) questions.push_back(&metric);
  }
  return questions;
}

bool is_measured(const report::Experiment& experiment, std::string_view metric) {
  return std::any_of(experiment.cells.begin(), experiment.cells.end(),
                     [&](const report::Cell& cell) { return cell.metric(metric) != nullptr; });
}

// Says nothing, and so, where no two models can be ranked at any point.
bool answer(const report::Experiment& experiment, const Metric& metric, const Basis& basis,
            report::Conclusions& into) {
  std::vector<std::string> clauses;
  std::vector<Point> open;
  bool unique = false;
  for (const Point& point : experiment.points()) {
    const auto candidates = candidates_at(experiment, point, metric, basis);
    const std::string where = format_point(experiment, point);
    if (candidates.size() < 2) {
      open.push_back(point);
      continue;
    }
    const Clause clause = clause_of(metric, candidates, where, basis);
    clauses.push_back(clause.text);
    unique = unique || clause.unique;
  }
  if (clauses.empty()) return false;
  const std::string left = open.empty() ? ""
                                        : fmt::format("; too few clean trials to say at {}",
                                                      format_points(experiment, open));
  say(into, unique ? "best" : "tie", experiment.name, metric.key,
      fmt::format("{}: {}{}.", metric.best, fmt::join(clauses, "; "), left));
  return true;
}

// Two digits after the point show no less.
constexpr double kLeastShown = 0.005;

struct Count {
  std::string model;
  double per_request;
};

std::string format_count(double per_request) {
  return per_request < 0.995 ? fmt::format("{:.2f}", per_request)
                             : fmt::format("{:.1f}", per_request);
}

// "What: a 0.05, b 2.0.", from the least to the most.
void list_counts(const report::Experiment& experiment, const std::string& what,
                 const std::string& metric, std::vector<Count> counts, const std::string& where,
                 report::Conclusions& into) {
  if (counts.empty()) return;
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return a.per_request < b.per_request; });
  std::vector<std::string> parts;
  const auto none =
      static_cast<std::size_t>(std::count_if(counts.begin(), counts.end(), [](const Count& one) {
        return one.per_request < kLeastShown;
      }));
  if (none > kMostNames) {
    parts.push_back(fmt::format("less than {} for {} models", 2 * kLeastShown, none));
    counts.erase(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(none));
  }
  for (const auto& [model, count] : counts) {
    parts.push_back(fmt::format("{} {}", model, format_count(count)));
  }
  say(into, "cost", experiment.name, metric,
      fmt::format("{} per request at {}: {}.", what, where, fmt::join(parts, ", ")));
}

}  // namespace

std::vector<Candidate> candidates_at(const report::Experiment& experiment, const Point& point,
                                     const Metric& metric, const Basis& basis) {
  std::vector<Candidate> candidates;
  const report::Cell* reference = reference_at(experiment, point);
  for (const report::Cell& cell : experiment.cells) {
    if (cell.point != point || !can_rank(&cell, metric.key)) continue;
    candidates.push_back({&cell, value_of(cell, *reference, metric, basis)});
  }
  const auto better = [&](const Candidate& a, const Candidate& b) {
    return metric.more_is_better ? a.value > b.value : a.value < b.value;
  };
  std::stable_sort(candidates.begin(), candidates.end(), better);
  return candidates;
}

void say_best(const report::Experiment& experiment, const Basis& basis, report::Conclusions& into) {
  bool any = false;
  for (const Metric* metric : questions_of(experiment)) {
    if (is_measured(experiment, metric->key)) any = answer(experiment, *metric, basis, into) || any;
  }
  if (any || experiment.cells.empty()) return;
  say(into, "undecided", experiment.name, "",
      fmt::format("No best is named: that takes two models with {} clean trials each at the "
                  "same point.",
                  kFindingRule.fewest_trials));
}

void say_counts(const report::Experiment& experiment, report::Conclusions& into) {
  // The last point alone: a model's calls per request hardly change with the point.
  const auto points = experiment.points();
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    std::vector<Count> calls;
    std::vector<Count> switches;
    for (const report::Cell& cell : experiment.cells) {
      if (cell.point != *point || !cell.counts || cell.counts->requests <= 0) continue;
      calls.push_back({cell.model, cell.counts->calls / cell.counts->requests});
      if (cell.counts->context_switches) {
        switches.push_back({cell.model, *cell.counts->context_switches / cell.counts->requests});
      }
    }
    if (calls.empty()) continue;
    const std::string where = format_point(experiment, *point);
    list_counts(experiment, "System calls", "syscalls", std::move(calls), where, into);
    list_counts(experiment, "Context switches", "context_switches", std::move(switches), where,
                into);
    return;
  }
}

}  // namespace muxbench
