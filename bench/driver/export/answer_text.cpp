#include "export/answer_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "base/format.h"

namespace muxbench {
namespace {

using report::AnswerEntry;
using report::AnswerRow;

// In a list on a terminal, and in a cell of a table. The report has them all.
constexpr std::size_t kMostNames = 2;
constexpr std::size_t kMostInCell = 6;
// So many models of one family that all belong to a list are named as the family.
constexpr std::size_t kGroup = 3;

// "+12 % (+8 to +16)", or, where per cents are hard to read, "2.1 times (1.9 to 2.3)".
std::string format_ratio(double ratio, double low, double high) {
  constexpr double kFactor = 1.5;
  if (ratio < kFactor && ratio > 1 / kFactor) {
    // Adding 0 makes no "-0".
    const auto percent = [](double value) { return std::round((value - 1) * 100) + 0.0; };
    return fmt::format("{:+.0f} % ({:+.0f} to {:+.0f})", percent(ratio), percent(low),
                       percent(high));
  }
  const auto digits = [](double value) {
    return value < 10 ? fmt::format("{:.2g}", value) : fmt::format("{:.0f}", value);
  };
  return fmt::format("{} times ({} to {})", digits(ratio), digits(low), digits(high));
}

std::string entry_text(const AnswerRow& row, const AnswerEntry& entry) {
  if (entry.model == row.reference) {
    return fmt::format("{} {}", entry.model, format_value(metric_of(row.metric), entry.value));
  }
  return entry.model + " " + format_ratio(entry.ratio, entry.low, entry.high);
}

// Without the interval: "+12 %", "2.1 times".
std::string short_ratio(const AnswerEntry& entry) {
  const std::string text = format_ratio(entry.ratio, entry.low, entry.high);
  return text.substr(0, text.find(" ("));
}

std::string short_text(const AnswerRow&, const AnswerEntry& entry) {
  return entry.model + " " + short_ratio(entry);
}

std::string recommended(const AnswerRow& row) {
  const AnswerEntry& first = row.best.front();
  return fmt::format("{} {}", first.model, format_value(metric_of(row.metric), first.value));
}

std::map<std::string, std::string> families_of(const report::Report& report) {
  std::map<std::string, std::string> families;
  for (const report::Model& model : report.models) {
    families[model.name] = text_at(model.json, "/family").value_or("");
  }
  return families;
}

// Takes out of `entries` each family of which all ranked models are among them, if it is a large one.
std::string take_groups(const AnswerRow& row, const std::map<std::string, std::string>& families,
                        std::vector<AnswerEntry>& entries) {
  const auto family = [&](const AnswerEntry& entry) {
    const auto found = families.find(entry.model);
    return found == families.end() ? std::string() : found->second;
  };
  std::map<std::string, std::size_t> here;
  std::map<std::string, std::size_t> ranked;
  for (const AnswerEntry& entry : entries) ++here[family(entry)];
  for (const auto* list : {&row.best, &row.between, &row.avoid}) {
    for (const AnswerEntry& entry : *list) ++ranked[family(entry)];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : here) {
    // The recommended one is not among the entries.
    const bool recommended = family(row.best.front()) == name;
    if (!name.empty() && count >= kGroup && count + (recommended ? 1 : 0) == ranked[name]) {
      names.push_back(name);
    }
  }
  if (names.empty()) return "";
  double low = 0;
  double high = 0;
  std::erase_if(entries, [&](const AnswerEntry& entry) {
    if (std::find(names.begin(), names.end(), family(entry)) == names.end()) return false;
    low = low == 0 ? entry.ratio : std::min(low, entry.ratio);
    high = std::max(high, entry.ratio);
    return true;
  });
  return fmt::format("all {} models ({:.2f} to {:.2f} times)", fmt::join(names, " and "), low,
                     high);
}

using EntryText = std::string (*)(const AnswerRow&, const AnswerEntry&);

std::string list_text(const AnswerRow& row, const std::vector<AnswerEntry>& entries,
                      const std::string& group, std::size_t most, EntryText text) {
  std::vector<std::string> parts;
  if (!group.empty()) parts.push_back(group);
  for (const AnswerEntry& entry : entries) {
    if (parts.size() == most) break;
    parts.push_back(text(row, entry));
  }
  const std::size_t named = parts.size() - (group.empty() ? 0 : 1);
  const std::string more =
      named < entries.size() ? fmt::format(" and {} more", entries.size() - named) : std::string();
  return fmt::format("{}{}", fmt::join(parts, ", "), more);
}

std::string name_of(const AnswerRow&, const AnswerEntry& entry) { return entry.model; }

std::string equally_good(const report::Report& report, const AnswerRow& row, std::size_t most,
                         EntryText text) {
  std::vector<AnswerEntry> others(row.best.begin() + 1, row.best.end());
  const std::string group =
      others.size() > kMostNames ? take_groups(row, families_of(report), others) : std::string();
  return list_text(row, others, group, most, text);
}

std::string where_text(const AnswerRow& row) {
  return fmt::format("{}, {}", row.where, metric_of(row.metric).title);
}

std::string command_of(const AnswerRow& row) { return "--experiments " + row.experiment; }

std::string not_measured(const report::Answer& answer) {
  std::vector<std::string> questions;
  std::set<std::string> experiments;
  for (const AnswerRow& row : answer.rows) {
    if (row.measured || !experiments.insert(row.experiment).second) continue;
    questions.push_back(fmt::format("{} ({})", row.question, command_of(row)));
  }
  return questions.empty() ? "" : fmt::format("Not measured: {}.\n", fmt::join(questions, ", "));
}

bool answers_any(const report::Report& report) {
  if (!report.conclusions) return false;
  const auto& rows = report.conclusions->answer.rows;
  return std::any_of(rows.begin(), rows.end(), [](const AnswerRow& row) { return row.measured; });
}

std::string percent(double share) {
  return fmt::format("{:.{}f} %", share * 100, share < 0.0995 ? 1 : 0);
}

std::vector<std::string> table_row(const report::Report& report, const AnswerRow& row) {
  std::vector<std::string> unable;
  for (const report::AnswerUnable& one : row.unable) {
    unable.push_back(
        fmt::format("{}: {}", fmt::join(one.models, ", "), escape_markdown(one.reason)));
  }
  return {fmt::format("{} ({})", row.question, where_text(row)),
          "**" + entry_text(row, row.best.front()) + "**",
          equally_good(report, row, kMostInCell, entry_text),
          list_text(row, row.avoid, "", kMostInCell, entry_text),
          fmt::format("{}", fmt::join(unable, "; "))};
}

}  // namespace

std::string trust_sentence(const report::Report& report) {
  if (!report.conclusions) return "";
  const report::Trust& trust = report.conclusions->answer.trust;
  if (!trust.half_width_of_half || !trust.half_width_of_most) return "";
  const auto cpus = number_at(report.host.json, "/cpus").value_or(0);
  const auto virtualisation = text_at(report.host.json, "/virtualisation").value_or("none");
  std::string text = fmt::format(
      "On this machine ({:.0f} CPUs{}) CPU time per request is known to {} for half of the cells "
      "and "
      "to {} for nine in ten",
      cpus, virtualisation == "none" || virtualisation == "unknown" ? "" : ", " + virtualisation,
      percent(*trust.half_width_of_half), percent(*trust.half_width_of_most));
  if (trust.twins_apart) {
    text += fmt::format("; the same server measured twice was up to {} from itself",
                        percent(*trust.twins_apart));
  }
  if (trust.host_change) {
    text += fmt::format(
        "; the host changed its speed by up to {} (models whose ratio depends on "
        "that are flagged)",
        percent(*trust.host_change));
  }
  return text + ".";
}

std::string answer_lines(const report::Report& report) {
  if (!answers_any(report)) return "";
  const report::Answer& answer = report.conclusions->answer;
  std::string text = trust_sentence(report);
  if (!text.empty()) text += "\n";
  for (const AnswerRow& row : answer.rows) {
    if (!row.measured) continue;
    if (!row.decided()) {
      text += fmt::format("{}: too few clean measurements to compare models.\n", row.question);
      continue;
    }
    text += fmt::format("{} ({}): {}", row.question, where_text(row), recommended(row));
    if (row.best.front().model != row.reference) {
      text += fmt::format(" ({} vs {})", short_ratio(row.best.front()), row.reference);
    }
    if (row.best.size() > 1) {
      text += fmt::format("; as good: {}", equally_good(report, row, kMostNames, name_of));
    }
    if (!row.avoid.empty()) {
      text += fmt::format("; avoid {}", list_text(row, row.avoid, "", kMostNames, short_text));
    }
    text += "\n";
  }
  return text + not_measured(answer);
}

std::vector<std::string> leader_lines(const report::Report& report) {
  if (!answers_any(report)) return {};
  std::vector<std::array<std::string, 3>> rows;
  std::array<std::size_t, 2> widths{};
  for (const AnswerRow& row : report.conclusions->answer.rows) {
    if (!row.measured) continue;
    std::array<std::string, 3> columns{row.question, "not known yet", ""};
    if (row.decided()) {
      columns[1] = recommended(row);
      if (row.best.size() > 1) {
        columns[2] = "as good: " + equally_good(report, row, kMostNames, name_of);
      }
      widths[1] = std::max(widths[1], columns[1].size());
    }
    widths[0] = std::max(widths[0], columns[0].size());
    rows.push_back(std::move(columns));
  }
  std::vector<std::string> lines;
  for (const auto& [question, leader, others] : rows) {
    lines.push_back(
        fmt::format("  {:<{}}  {:<{}}  {}", question, widths[0], leader, widths[1], others));
    lines.back().erase(lines.back().find_last_not_of(' ') + 1);
  }
  return lines;
}

std::string answer_markdown(const report::Report& report) {
  if (!answers_any(report)) return "";
  const report::Answer& answer = report.conclusions->answer;
  std::vector<std::vector<std::string>> rows{{"you have", "recommended",
                                              "equally good within noise", "avoid",
                                              "cannot do it, or not known"}};
  std::string undecided;
  std::string reference;
  for (const AnswerRow& row : answer.rows) {
    if (row.decided()) {
      rows.push_back(table_row(report, row));
      reference = row.reference;
    }
    if (row.measured && !row.decided()) {
      undecided +=
          fmt::format("\nToo few clean measurements to compare models: {}.\n", row.question);
    }
  }
  std::string text = trust_sentence(report);
  if (!text.empty()) text += "\n";
  if (rows.size() > 1) {
    text += fmt::format(
        "\n{}\nA value is the ratio to the reference ({}) at the same point with its 95 % "
        "interval, or the reference's own value. Models are equally good where they cannot be told "
        "apart from the best one and are within a quarter of it; those to avoid are behind it by "
        "half or more, beyond doubt. Of long lists the first {} are named; report.html has all.\n",
        format_table(rows), reference, kMostInCell);
  }
  text += undecided;
  const std::string rest = not_measured(answer);
  return text + (rest.empty() ? "" : "\n" + rest);
}

}  // namespace muxbench
