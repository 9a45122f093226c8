#include "export/comparison_text.h"

#include <algorithm>
#include <sstream>

#include "base/format.h"

namespace muxbench {
namespace {

const char* name_of(Correction correction) {
  return correction == Correction::holm ? "Holm" : "Benjamini-Hochberg";
}

std::string format_change(double ratio) { return fmt::format("{:+.1f} %", (ratio - 1) * 100); }

std::string heading(const Comparison& comparison) {
  std::string text = fmt::format("Base: {}\nNew:  {}\n", comparison.base, comparison.now);
  if (!comparison.remarks.empty()) text += "\nTo be known of them:\n";
  for (const std::string& remark : comparison.remarks) text += "- " + remark + "\n";
  if (comparison.differences.empty()) return text;
  text +=
      comparison.settings.across_hosts
          ? "\nTheir conditions differ, and the comparison was asked for all the same:\n"
          : "\nTheir conditions differ, so there are no verdicts (--across-hosts gives them):\n";
  for (const std::string& difference : comparison.differences) text += "- " + difference + "\n";
  return text;
}

std::string format_interval(const Ratio& ratio) {
  return format_change(ratio.low) + " to " + format_change(ratio.high);
}

// Between reports with slices there are two ratios to tell.
bool has_references(const Comparison& comparison) {
  return std::any_of(comparison.cells.begin(), comparison.cells.end(),
                     [](const CellComparison& cell) { return !cell.reference.empty(); });
}

bool has_pairs(const Comparison& comparison) {
  return std::any_of(comparison.cells.begin(), comparison.cells.end(),
                     [](const CellComparison& cell) { return cell.paired; });
}

std::vector<std::string> row_of(const CellComparison& cell, bool with_references) {
  std::string verdict = to_string(cell.verdict);
  if (!cell.reason.empty()) verdict += " (" + cell.reason + ")";
  std::vector<std::string> row{cell.cell, cell.metric,
                               cell.ratio ? format_change(cell.ratio->ratio) : "",
                               cell.ratio ? format_interval(*cell.ratio) : ""};
  if (with_references) {
    row.push_back(cell.reference);
    row.push_back(cell.absolute ? fmt::format("{} ({})", format_change(cell.absolute->ratio),
                                              format_interval(*cell.absolute))
                                : "");
  }
  row.push_back(cell.adjusted_p ? fmt::format("{:.2g}", *cell.adjusted_p) : "");
  row.push_back(
      fmt::format("{}, {}{}", cell.base_trials, cell.new_trials, cell.paired ? " blocks" : ""));
  row.push_back(verdict);
  return row;
}

std::vector<std::vector<std::string>> rows_of(const Comparison& comparison) {
  const bool with_references = has_references(comparison);
  std::vector<std::string> titles{"cell", "metric", "new/base", "95 % interval"};
  if (with_references) titles.insert(titles.end(), {"relative to", "absolute, over rounds"});
  titles.insert(titles.end(), {"p", "trials", "verdict"});
  std::vector<std::vector<std::string>> rows{titles};
  for (const CellComparison& cell : comparison.cells) {
    rows.push_back(row_of(cell, with_references));
  }
  return rows;
}

std::string method_of(const Comparison& comparison) {
  std::string text = "Ratios of geometric means over trials with Welch intervals on logarithms";
  if (has_pairs(comparison)) text += "; where blocks are counted, of slices in pairs";
  if (has_references(comparison)) {
    text +=
        ", each relative to the named model of its own report, so that the speed of the host "
        "cancels; the absolute ratio holds that speed and is not judged";
  }
  return text;
}

std::string closing(const Comparison& comparison) {
  std::map<std::string, int> verdicts;
  for (const CellComparison& cell : comparison.cells) ++verdicts[to_string(cell.verdict)];
  std::string counts;
  for (const auto& [verdict, count] : verdicts) {
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, verdict);
  }
  const CompareSettings& settings = comparison.settings;
  return fmt::format(
      "{}.\n{}; p is corrected over the cells by {}, and a difference is one below {:g}.\n"
      "\"same\" is an interval within {:g} %, cell by cell and not corrected.\n",
      counts, method_of(comparison), name_of(settings.correction), settings.alpha,
      settings.margin * 100);
}

// The lines of a table below its two of heading are its rows.
std::string coloured(const std::string& table, const Comparison& comparison) {
  std::string text;
  std::size_t begin = 0;
  for (std::size_t line = 0; begin < table.size(); ++line) {
    const std::size_t end = std::min(table.find('\n', begin), table.size());
    const std::string row = table.substr(begin, end - begin);
    const Verdict verdict = line < 2 || line - 2 >= comparison.cells.size()
                                ? Verdict::inconclusive
                                : comparison.cells[line - 2].verdict;
    const char* colour = verdict == Verdict::faster   ? "\033[32m"
                         : verdict == Verdict::slower ? "\033[31m"
                                                      : "";
    text += *colour == '\0' ? row + "\n" : colour + row + "\033[0m\n";
    begin = end + 1;
  }
  return text;
}

std::string escape_lines(const std::string& text) {
  std::string escaped;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) escaped += escape_markdown(line) + "\n";
  return escaped;
}

}  // namespace

std::string as_terminal_text(const Comparison& comparison, bool colour) {
  const std::string table = format_table(rows_of(comparison));
  return heading(comparison) + "\n" + (colour ? coloured(table, comparison) : table) + "\n" +
         closing(comparison);
}

std::string as_markdown(const Comparison& comparison) {
  auto rows = rows_of(comparison);
  for (auto& row : rows) {
    for (std::string& cell : row) cell = escape_markdown(cell);
  }
  return "# muxbench comparison\n\n" + escape_lines(heading(comparison)) + "\n" +
         format_table(rows) + "\n" + closing(comparison);
}

namespace {

Json ratio_json(const Ratio& ratio) {
  return {{"ratio", ratio.ratio}, {"low", ratio.low}, {"high", ratio.high}};
}

}  // namespace

Json as_json(const Comparison& comparison) {
  const CompareSettings& settings = comparison.settings;
  Json cells = Json::array();
  for (const CellComparison& cell : comparison.cells) {
    Json json{{"cell", cell.cell},
              {"metric", cell.metric},
              {"better", cell.more_is_better ? "more" : "less"},
              {"base_trials", cell.base_trials},
              {"new_trials", cell.new_trials},
              {"verdict", to_string(cell.verdict)}};
    if (!cell.reason.empty()) json["reason"] = cell.reason;
    if (cell.ratio) {
      json.update(ratio_json(*cell.ratio));
      json["p"] = cell.ratio->p;
      if (cell.adjusted_p) json["adjusted_p"] = *cell.adjusted_p;
    }
    if (cell.paired) json["counted"] = "blocks";
    if (!cell.reference.empty()) {
      json["reference"] = cell.reference;
      if (cell.ratio) json["relative"] = ratio_json(*cell.ratio);
    }
    if (cell.absolute) json["absolute"] = ratio_json(*cell.absolute);
    if (!cell.inside_noise_floor_of.empty()) {
      json["inside_noise_floor_of"] = cell.inside_noise_floor_of;
    }
    cells.push_back(std::move(json));
  }
  return {{"base", comparison.base},
          {"new", comparison.now},
          {"interval", "95 % Welch t on logarithms"},
          {"correction", name_of(settings.correction)},
          {"alpha", settings.alpha},
          {"margin", settings.margin},
          {"across_hosts", settings.across_hosts},
          {"metrics", metric_table()},
          {"differences", comparison.differences},
          {"remarks", comparison.remarks},
          {"cells", std::move(cells)}};
}

}  // namespace muxbench
