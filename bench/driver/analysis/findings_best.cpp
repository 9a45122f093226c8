// Which models are best in an experiment, point by point, with ties named as ties; and what a
// request costs each of them in system calls and context switches.
#include <algorithm>
#include <array>

#include "analysis/findings_parts.h"
#include "analysis/inference.h"
#include "base/format.h"

namespace muxbench {
namespace {

struct Question {
  const char* metric;
  const char* best;
  bool more_is_better;
  std::string (*show)(double);
  bool always = true;  // or only where it answers the experiment
};
constexpr std::array kQuestions{
    Question{"requests_per_second", "Highest throughput", true, format_rate},
    Question{"latency_mean_ns", "Lowest mean latency", false, format_time, false},
    Question{"latency_p50_ns", "Lowest median latency", false, format_time, false},
    Question{"latency_p99_ns", "Lowest p99", false, format_time},
    Question{"server_cpu_ns_per_request", "Least server CPU per request", false, format_time},
    Question{"server_memory_bytes", "Least server memory", false, format_bytes}};

// More names than this tell less than their number.
constexpr std::size_t kMostNames = 6;

using Candidate = const CellView*;

double median_of(Candidate candidate, const Question& question) {
  return candidate->metric(question.metric)->median;
}

// Beyond doubt, among as many models as could be ranked.
bool clearly_better(Candidate a, Candidate b, const Question& question, std::size_t ranked,
                    double floor) {
  const auto& mine = a->trials.at(question.metric);
  const auto& theirs = b->trials.at(question.metric);
  return question.more_is_better ? clearly_greater(mine, theirs, ranked - 1, floor)
                                 : clearly_greater(theirs, mine, ranked - 1, floor);
}

std::vector<Candidate> candidates_at(const ExperimentView& experiment, const Point& point,
                                     const Question& question) {
  std::vector<Candidate> candidates;
  for (const CellView& cell : experiment.cells) {
    if (cell.point == point && can_rank(&cell, question.metric)) candidates.push_back(&cell);
  }
  const auto better = [&](Candidate a, Candidate b) {
    return question.more_is_better ? median_of(a, question) > median_of(b, question)
                                   : median_of(a, question) < median_of(b, question);
  };
  std::stable_sort(candidates.begin(), candidates.end(), better);
  return candidates;
}

struct Clause {
  std::string text;
  bool unique;
};

// "**a** at idle 0 (191 k/s; next b with 180 k/s)", or a tie.
Clause clause_of(const Question& question, const std::vector<Candidate>& candidates,
                 const std::string& where, double floor) {
  const Candidate best = candidates.front();
  std::vector<std::string> tied;
  std::vector<std::string> behind;
  for (const Candidate candidate : candidates) {
    const bool beaten =
        candidate != best && clearly_better(best, candidate, question, candidates.size(), floor);
    (beaten ? behind : tied).push_back(candidate->model);
  }
  const std::string value = question.show(median_of(best, question));
  if (tied.size() == 1) {
    return {fmt::format("**{}** at {} ({}; next {} with {})", best->model, where, value,
                        candidates[1]->model, question.show(median_of(candidates[1], question))),
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
std::vector<Question> questions_of(const ExperimentView& experiment) {
  std::vector<Question> questions;
  for (const Question& question : kQuestions) {
    const bool answers = question.metric == experiment.metric;
    if (experiment.open_loop && question.more_is_better) continue;
    if (answers) questions.insert(questions.begin(), question);
    if (!answers && question.always) questions.push_back(question);
  }
  return questions;
}

bool is_measured(const ExperimentView& experiment, const std::string& metric) {
  return std::any_of(experiment.cells.begin(), experiment.cells.end(),
                     [&](const CellView& cell) { return cell.metric(metric) != nullptr; });
}

// Says nothing, and so, where no two models can be ranked at any point.
bool answer(const ExperimentView& experiment, const Question& question, Conclusions& into) {
  std::vector<std::string> clauses;
  std::vector<Point> open;
  bool unique = false;
  for (const Point& point : experiment.points()) {
    const auto candidates = candidates_at(experiment, point, question);
    const std::string where = format_point(experiment, point);
    if (candidates.size() < 2) {
      open.push_back(point);
      continue;
    }
    const Clause clause =
        clause_of(question, candidates, where, experiment.floors.at(question.metric));
    clauses.push_back(clause.text);
    unique = unique || clause.unique;
  }
  if (clauses.empty()) return false;
  const std::string left = open.empty() ? ""
                                        : fmt::format("; too few clean trials to say at {}",
                                                      format_points(experiment, open));
  into.say(unique ? "best" : "tie", experiment.name, question.metric,
           fmt::format("{}: {}{}.", question.best, fmt::join(clauses, "; "), left));
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
void list_counts(const ExperimentView& experiment, const std::string& what,
                 const std::string& metric, std::vector<Count> counts, const std::string& where,
                 Conclusions& into) {
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
  into.say("cost", experiment.name, metric,
           fmt::format("{} per request at {}: {}.", what, where, fmt::join(parts, ", ")));
}

}  // namespace

void say_best(const ExperimentView& experiment, Conclusions& into) {
  bool any = false;
  for (const Question& question : questions_of(experiment)) {
    if (is_measured(experiment, question.metric)) any = answer(experiment, question, into) || any;
  }
  if (any || experiment.cells.empty()) return;
  into.say("undecided", experiment.name, "",
           fmt::format("No best is named: that takes two models with {} clean trials each at the "
                       "same point.",
                       kFewestTrials));
}

void say_counts(const ExperimentView& experiment, Conclusions& into) {
  // The last point alone: a model's calls per request hardly change with the point.
  const auto points = experiment.points();
  for (auto point = points.rbegin(); point != points.rend(); ++point) {
    std::vector<Count> calls;
    std::vector<Count> switches;
    for (const CellView& cell : experiment.cells) {
      if (cell.point != *point || cell.counts == nullptr) continue;
      const double requests = number_at(*cell.counts, "/requests").value_or(0);
      if (requests <= 0) continue;
      double total = 0;
      const Json by_name = cell.counts->value("syscalls", Json::object());
      for (const auto& [name, call] : by_name.items()) {
        total += call.value("calls", 0.0);
      }
      total = number_at(*cell.counts, "/total_calls").value_or(total);
      calls.push_back({cell.model, total / requests});
      const auto voluntary = number_at(*cell.counts, "/context_switches/voluntary");
      const auto involuntary = number_at(*cell.counts, "/context_switches/involuntary");
      if (voluntary && involuntary) {
        switches.push_back({cell.model, (*voluntary + *involuntary) / requests});
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
