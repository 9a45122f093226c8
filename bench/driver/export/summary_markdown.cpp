#include "export/summary_markdown.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "export/answer_text.h"

namespace muxbench {
namespace {

std::string format_median(const report::Cell& cell, const char* key) {
  const Statistics* statistics = cell.metric(key);
  return statistics == nullptr ? "" : format_value(metric_of(key), statistics->median);
}

std::string format_flags(const report::Cell& cell) {
  std::string text = cell.measured() ? "" : cell.status;
  for (const Flag& flag : cell.flags) text += (text.empty() ? "" : ", ") + flag.kind;
  return text;
}

// "+3.1 % (+2.0 to +4.2)": of CPU time per request.
std::string format_relative(const report::Cell& cell) {
  const auto found = cell.relative.find("server_cpu_ns_per_request");
  if (found == cell.relative.end()) return "";
  const auto percent = [](double ratio) { return (ratio - 1) * 100; };
  const report::Relative& relative = found->second;
  return fmt::format("{:+.1f} % ({:+.1f} to {:+.1f})", percent(relative.ratio),
                     percent(relative.low), percent(relative.high));
}

// Trials or rounds: of the metric that has most of them.
std::size_t trials_of(const report::Cell& cell) {
  std::size_t trials = 0;
  for (const auto& [key, statistics] : cell.summary) trials = std::max(trials, statistics.n);
  return trials;
}

std::string experiment_table(const report::Experiment& experiment) {
  std::vector<std::vector<std::string>> rows{{"point", "model", "requests/s", "p50", "p99",
                                              "CPU/request", "CPU relative", "memory", "trials",
                                              "remarks"}};
  for (const Point& point : experiment.points()) {
    for (const report::Cell& cell : experiment.cells) {
      if (cell.status == "skipped" || cell.point != point) continue;
      rows.push_back({format_point(experiment, point), cell.model,
                      format_median(cell, "requests_per_second"),
                      format_median(cell, "latency_p50_ns"), format_median(cell, "latency_p99_ns"),
                      format_median(cell, "server_cpu_ns_per_request"), format_relative(cell),
                      format_median(cell, "server_memory_bytes"), std::to_string(trials_of(cell)),
                      format_flags(cell)});
    }
  }
  return rows.size() == 1 ? "Nothing of it could run here.\n" : format_table(rows);
}

// "load on 1 CPU (1)", or from other machines.
std::string load_of(const report::Report& report) {
  const Json& plan = report.plan.json;
  if (!plan.contains("load_hosts")) return "load on " + format_cpus(report.plan.load_cpus);
  const auto hosts = plan.at("load_hosts").get<std::vector<std::string>>();
  std::string text = fmt::format("load from {} to {}", fmt::join(hosts, ", "),
                                 text_at(plan, "/path/listen").value_or("?"));
  if (const auto name = text_at(plan, "/path/interface/name")) {
    text += fmt::format(" ({}", *name);
    if (const auto speed = number_at(plan, "/path/interface/speed_mbit")) {
      text += fmt::format(", {:.0f} Mbit/s", *speed);
    }
    text += fmt::format(", MTU {:.0f})", number_at(plan, "/path/interface/mtu").value_or(0));
  }
  return text;
}

// "Profile quick, 618 of 618 planned trials, seed 7; server on 1 CPU (0), ...", of what is known.
std::string header(const report::Report& report) {
  std::vector<std::string> parts;
  if (report.run.profile) parts.push_back("profile " + *report.run.profile);
  const auto& planned = report.plan.trials;
  parts.push_back(fmt::format("{}{} trials", report.trials.size(),
                              planned ? fmt::format(" of {} planned", *planned) : ""));
  if (report.run.seed) parts.push_back(fmt::format("seed {}", *report.run.seed));
  parts.push_back("server on " + format_cpus(report.plan.server_cpus));
  parts.push_back(load_of(report));
  parts.push_back(report.plan.network + " network");
  if (report.host.cpu_model) parts.push_back(*report.host.cpu_model);
  parts.push_back(report.host.kernel);
  return fmt::format("Report: {}.", fmt::join(parts, ", "));
}

std::string sentences(const report::Report& report, const std::string& experiment) {
  std::string text;
  if (!report.conclusions) return text;
  for (const report::Finding& finding : report.conclusions->findings) {
    if (finding.experiment == experiment) {
      text += fmt::format("- {}\n", escape_markdown(finding.text));
    }
  }
  return text;
}

}  // namespace

std::string summary_markdown(const report::Report& report) {
  const bool interrupted = report.status == "interrupted";
  const std::string answer = answer_markdown(report);
  std::string text =
      fmt::format("# muxbench findings{}\n\n{}{}\n", interrupted ? " of an interrupted run" : "",
                  answer.empty() ? "" : answer + "\n", escape_markdown(header(report)));
  for (const report::Experiment& experiment : report.experiments) {
    text += fmt::format("\n## {}: {}\n\n{}", experiment.name, escape_markdown(experiment.question),
                        sentences(report, experiment.name));
  }
  if (const auto notes = sentences(report, ""); !notes.empty()) {
    text += "\n## The run\n\n" + notes;
  }
  text +=
      "\nA model is named best only where its trials lie apart from every other model's, or its "
      "slices are ahead of those beside them, by more than chance would have it and than the same "
      "server was from itself (the noise floor). "
      "Intervals hold with 95 % confidence.\n\n# Tables\n\nValues are "
      "medians over trials or rounds; CPU relative is the CPU time of a request over that of "
      "epoll_level (or the first model measured there) at the same point, with its 95 % "
      "interval.\n";
  for (const report::Experiment& experiment : report.experiments) {
    text += fmt::format("\n## {}\n\n{}", experiment.name, experiment_table(experiment));
  }
  return text;
}

}  // namespace muxbench
