#include "driver/findings.h"

#include <algorithm>
#include <map>

#include "driver/host.h"
#include "driver/show.h"

namespace muxbench {
namespace {

constexpr std::size_t kFewestTrials = 3;

using Places = std::vector<std::size_t>;  // of cells

const Statistics* metric(const CellResult& result, const char* name) {
  const auto found = result.summary.find(name);
  return found == result.summary.end() ? nullptr : &found->second;
}

std::string show(const Statistics* statistics, std::string (*as)(double)) {
  return statistics == nullptr ? "" : as(statistics->median);
}

// "idle 8000": the swept part of a point, without what is the same at all of them.
std::string show_point(const Experiment& experiment, const Point& point) {
  std::string text;
  for (std::size_t i = 0; i < experiment.sweep.size(); ++i) {
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", point[i].key, point[i].value);
  }
  return text;
}

std::string show_flags(const CellResult& result) {
  std::string text = result.status == "measured" ? "" : result.status;
  for (const Flag& flag : result.flags) text += (text.empty() ? "" : ", ") + flag.kind;
  return text;
}

std::string experiment_table(const RunRecord& record, const Experiment& experiment,
                             const Places& cells) {
  std::vector<std::vector<std::string>> rows{
      {"point", "model", "requests/s", "p50", "p99", "CPU/request", "memory", "trials", "remarks"}};
  for (const std::size_t i : cells) {
    const CellResult& result = record.results[i];
    if (result.status == "skipped") continue;
    const Statistics* rate = metric(result, "requests_per_second");
    rows.push_back({show_point(experiment, record.cells[i].point),
                    record.models[record.cells[i].model].name, show(rate, show_rate),
                    show(metric(result, "latency_p50_ns"), show_time),
                    show(metric(result, "latency_p99_ns"), show_time),
                    show(metric(result, "server_cpu_ns_per_request"), show_time),
                    show(metric(result, "server_memory_bytes"), show_bytes),
                    std::to_string(rate == nullptr ? 0 : rate->n), show_flags(result)});
  }
  return rows.size() == 1 ? "Nothing of it could run here.\n" : show_table(rows);
}

struct Question {
  const char* metric;
  const char* best;  // "highest throughput"
  bool more_is_better;
  std::string (*show)(double);
};
constexpr std::array kQuestions{
    Question{"requests_per_second", "highest throughput", true, show_rate},
    Question{"latency_p99_ns", "lowest p99", false, show_time},
    Question{"server_cpu_ns_per_request", "least server CPU per request", false, show_time}};

struct Candidate {
  std::string model;
  Statistics statistics;
};

// "highest throughput: a (191 k/s, next b with 180 k/s)", or a tie; empty with less than two to
// compare.
std::string answer(const Question& question, std::vector<Candidate> candidates) {
  if (candidates.size() < 2) return "";
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const Candidate& a, const Candidate& b) {
                     return question.more_is_better ? a.statistics.median > b.statistics.median
                                                    : a.statistics.median < b.statistics.median;
                   });
  const Candidate& best = candidates.front();
  std::vector<std::string> tied;
  for (const Candidate& candidate : candidates) {
    if (ranges_overlap(best.statistics, candidate.statistics)) tied.push_back(candidate.model);
  }
  if (tied.size() == 1) {
    return fmt::format("{}: **{}** ({}; next {} with {})", question.best, best.model,
                       question.show(best.statistics.median), candidates[1].model,
                       question.show(candidates[1].statistics.median));
  }
  return fmt::format("{}: a tie of {} (about {})", question.best, fmt::join(tied, ", "),
                     question.show(best.statistics.median));
}

std::vector<Candidate> rankable(const RunRecord& record, const Places& cells, const char* name) {
  std::vector<Candidate> candidates;
  for (const std::size_t i : cells) {
    const CellResult& result = record.results[i];
    const Statistics* statistics = metric(result, name);
    if (statistics == nullptr || !result.flags.empty() || statistics->n < kFewestTrials) continue;
    candidates.push_back({record.models[record.cells[i].model].name, *statistics});
  }
  return candidates;
}

std::string best_of_points(const RunRecord& record, const Experiment& experiment,
                           const Places& cells) {
  std::string text;
  for (const Point& point : points_of(experiment)) {
    Places here;
    std::copy_if(cells.begin(), cells.end(), std::back_inserter(here),
                 [&](std::size_t i) { return record.cells[i].point == point; });
    std::vector<std::string> answers;
    for (const Question& question : kQuestions) {
      auto said = answer(question, rankable(record, here, question.metric));
      if (!said.empty()) answers.push_back(std::move(said));
    }
    if (answers.empty()) continue;
    text += fmt::format("- At {}: {}.\n", show_point(experiment, point), fmt::join(answers, "; "));
  }
  if (text.empty()) {
    text = fmt::format(
        "No best is named: that takes two models with {} clean trials each at the "
        "same point.\n",
        kFewestTrials);
  }
  return text;
}

// What the sweep costs each model: server CPU per request at its two ends.
std::string cost_of_sweep(const RunRecord& record, const Experiment& experiment,
                          const Places& cells) {
  if (experiment.sweep.size() != 1 || experiment.sweep.front().values.size() < 2) return "";
  const auto points = points_of(experiment);
  std::string text;
  const auto at = [&](const Point& point, std::size_t model) -> std::optional<Candidate> {
    for (const std::size_t i : cells) {
      if (record.cells[i].model != model || record.cells[i].point != point) continue;
      auto found = rankable(record, {i}, "server_cpu_ns_per_request");
      if (!found.empty()) return found.front();
    }
    return {};
  };
  for (std::size_t model = 0; model < record.models.size(); ++model) {
    const auto first = at(points.front(), model);
    const auto last = at(points.back(), model);
    if (!first || !last || first->statistics.median <= 0) continue;
    if (ranges_overlap(first->statistics, last->statistics)) continue;
    const double ratio = last->statistics.median / first->statistics.median;
    text += fmt::format(
        "- {}: server CPU per request goes from {} at {} to {} at {} ({:.2g} "
        "times).\n",
        first->model, show_time(first->statistics.median), show_point(experiment, points.front()),
        show_time(last->statistics.median), show_point(experiment, points.back()), ratio);
  }
  return text;
}

std::string not_ranked(const RunRecord& record) {
  // One line per model, experiment and cause: 30 skipped points of one model are one sentence.
  std::map<std::string, std::vector<std::string>> points;
  std::map<std::string, std::vector<std::string>> reasons;
  std::vector<std::string> order;
  const auto add = [&](std::size_t i, const std::string& kind, const std::string& reason) {
    const Cell& cell = record.cells[i];
    const Experiment& experiment = record.experiments[cell.experiment];
    const std::string key =
        fmt::format("{} {} in {}", record.models[cell.model].name, kind, experiment.name);
    if (!reasons.contains(key)) order.push_back(key);
    auto& said = reasons[key];
    if (std::find(said.begin(), said.end(), reason) == said.end()) said.push_back(reason);
    points[key].push_back(show_point(experiment, cell.point));
  };
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    const CellResult& result = record.results[i];
    if (result.status != "measured") add(i, result.status, result.reason);
    for (const Flag& flag : result.flags) add(i, "flagged as " + flag.kind, flag.detail);
  }
  std::string text;
  for (const std::string& key : order) {
    const auto& said = reasons[key];
    text += fmt::format("- {} at {}: {}{}.\n", key, fmt::join(points[key], "; "),
                        said.size() > 1 ? "for example, " : "", said.front());
  }
  return text;
}

}  // namespace

std::string findings(const RunRecord& record) {
  std::string text = fmt::format(
      "# muxbench findings\n\nProfile {}, {} of {} planned trials, seed {}; server on CPU {}, load "
      "on CPU {}, {} network; {}.\n{}",
      record.profile, record.trials.size(), record.planned_trials, record.seed,
      to_string(record.cpus.server), to_string(record.cpus.load),
      record.private_network ? "private" : "host", cpu_model(),
      record.interrupted ? "The run was interrupted: what follows is what had finished.\n" : "");
  for (std::size_t e = 0; e < record.experiments.size(); ++e) {
    const Experiment& experiment = record.experiments[e];
    Places cells;
    for (std::size_t i = 0; i < record.cells.size(); ++i) {
      if (record.cells[i].experiment == e) cells.push_back(i);
    }
    text += fmt::format("\n## {}: {}\n\n{}\n{}", experiment.name, experiment.question,
                        experiment_table(record, experiment, cells),
                        best_of_points(record, experiment, cells));
    text += cost_of_sweep(record, experiment, cells);
  }
  if (const auto left = not_ranked(record); !left.empty()) {
    text += "\n## Not measured or not ranked\n\n" + left;
  }
  if (!record.notes.empty()) {
    text += "\n## Notes\n\n";
    for (const std::string& note : record.notes) text += "- " + note + "\n";
  }
  text +=
      "\nValues are medians over trials. A model is named best only where its trials do not "
      "overlap with any other model's.\n";
  return text;
}

}  // namespace muxbench
