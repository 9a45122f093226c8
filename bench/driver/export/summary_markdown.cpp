#include "export/summary_markdown.h"

#include <array>

#include "base/format.h"

namespace muxbench {
namespace {

std::string show(const CellView& cell, const char* name, std::string (*as)(double)) {
  const Statistics* statistics = cell.metric(name);
  return statistics == nullptr ? "" : as(statistics->median);
}

std::string format_flags(const CellView& cell) {
  std::string text = cell.measured() ? "" : cell.status;
  for (const Flag& flag : cell.flags) text += (text.empty() ? "" : ", ") + flag.kind;
  return text;
}

std::string experiment_table(const ExperimentView& experiment) {
  std::vector<std::vector<std::string>> rows{
      {"point", "model", "requests/s", "p50", "p99", "CPU/request", "memory", "trials", "remarks"}};
  for (const Point& point : experiment.points()) {
    for (const CellView& cell : experiment.cells) {
      if (cell.status == "skipped" || cell.point != point) continue;
      const Statistics* rate = cell.metric("requests_per_second");
      rows.push_back({format_point(experiment, point), cell.model,
                      show(cell, "requests_per_second", format_rate),
                      show(cell, "latency_p50_ns", format_time),
                      show(cell, "latency_p99_ns", format_time),
                      show(cell, "server_cpu_ns_per_request", format_time),
                      show(cell, "server_memory_bytes", format_bytes),
                      std::to_string(rate == nullptr ? 0 : rate->n), format_flags(cell)});
    }
  }
  return rows.size() == 1 ? "Nothing of it could run here.\n" : format_table(rows);
}

// "Profile quick, 618 of 618 planned trials, seed 7; server on 1 CPU (0), ...", of what is known.
std::string header(const Json& section) {
  const Json none = Json::object();
  const Json run = section.value("run", none);
  const Json plan = section.value("plan", none);
  std::vector<std::string> parts;
  if (const auto profile = text_at(run, "/profile")) parts.push_back("profile " + *profile);
  const auto planned = number_at(plan, "/trials");
  parts.push_back(fmt::format("{}{} trials", section.at("trials").size(),
                              planned ? fmt::format(" of {:.0f} planned", *planned) : ""));
  if (run.contains("seed")) parts.push_back("seed " + run.at("seed").dump());
  const auto cpus = [&](const char* key, const char* who) {
    if (!plan.contains(key)) return;
    std::vector<int> list;
    for (const Json& cpu : plan.at(key)) list.push_back(cpu.get<int>());
    parts.push_back(fmt::format("{} on {}", who, format_cpus(list)));
  };
  cpus("server_cpus", "server");
  cpus("load_cpus", "load");
  if (const auto network = text_at(plan, "/network")) parts.push_back(*network + " network");
  if (const auto cpu = text_at(section, "/host/cpu_model")) parts.push_back(*cpu);
  if (const auto kernel = text_at(section, "/host/kernel")) parts.push_back(*kernel);
  return fmt::format("Report: {}.", fmt::join(parts, ", "));
}

std::string sentences(const Json& section, const std::string& experiment) {
  std::string text;
  if (!section.contains("findings")) return text;
  for (const Json& finding : section.at("findings")) {
    if (finding.value("experiment", "") != experiment) continue;
    text += fmt::format("- {}\n", finding.at("text").get<std::string>());
  }
  return text;
}

}  // namespace

std::string summary_markdown(const ReportView& view) {
  const Json& section = view.json->at("muxbench");
  std::string text = fmt::format("# muxbench findings\n\n{}\n", header(section));
  for (const ExperimentView& experiment : view.experiments) {
    text += fmt::format("\n## {}: {}\n\n{}", experiment.name, experiment.question,
                        sentences(section, experiment.name));
  }
  if (const auto notes = sentences(section, ""); !notes.empty()) {
    text += "\n## The run\n\n" + notes;
  }
  text +=
      "\nA model is named best only where its trials lie apart from every other model's by more "
      "than chance would have it and than the same server was from itself (the noise floor). "
      "Intervals hold with 95 % confidence.\n\n# Tables\n\nValues are "
      "medians over trials.\n";
  for (const ExperimentView& experiment : view.experiments) {
    text += fmt::format("\n## {}\n\n{}", experiment.name, experiment_table(experiment));
  }
  return text;
}

}  // namespace muxbench
