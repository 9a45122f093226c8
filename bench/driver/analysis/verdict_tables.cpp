#include "analysis/verdict_tables.h"

#include <algorithm>
#include <map>

#include "analysis/comparison.h"

namespace muxbench {
namespace {

Verdict seen_from_the_other(Verdict verdict) {
  if (verdict == Verdict::faster) return Verdict::slower;
  return verdict == Verdict::slower ? Verdict::faster : verdict;
}

// One table for each point at which two models or more were measured.
std::map<std::string, report::VerdictTable> empty_tables(const report::Report& report,
                                                         const std::string& metric) {
  std::map<std::string, report::VerdictTable> tables;
  for (const report::Experiment& experiment : report.experiments) {
    for (const report::Cell& cell : experiment.cells) {
      if (!cell.measured() || !cell.values.contains(metric)) continue;
      report::VerdictTable& table = tables[experiment.name + "/" + to_string(cell.point)];
      table.experiment = experiment.name;
      table.point = cell.point;
      table.metric = metric;
      table.models.push_back(cell.model);
    }
  }
  std::erase_if(tables, [](const auto& entry) { return entry.second.models.size() < 2; });
  for (auto& [place, table] : tables) {
    table.matrix.assign(table.models.size(),
                        std::string(table.models.size(), letter_of(Verdict::missing)));
  }
  return tables;
}

void enter(report::VerdictTable& table, const std::string& base, const std::string& now,
           Verdict verdict) {
  const auto place = [&](const std::string& model) {
    return static_cast<std::size_t>(std::find(table.models.begin(), table.models.end(), model) -
                                    table.models.begin());
  };
  const std::size_t row = place(base);
  const std::size_t column = place(now);
  if (row == table.models.size() || column == table.models.size()) return;
  table.matrix[row][column] = letter_of(verdict);
  table.matrix[column][row] = letter_of(seen_from_the_other(verdict));
}

}  // namespace

std::vector<report::VerdictTable> verdict_tables(const report::Report& report) {
  const auto measured = measured_report(report);
  if (!measured) return {};
  std::vector<std::string> models;
  for (const MeasuredCell& cell : measured->cells) {
    const bool known = std::find(models.begin(), models.end(), cell.model) != models.end();
    if (cell.status == "measured" && !known) models.push_back(cell.model);
  }
  std::vector<report::VerdictTable> list;
  for (const Metric& metric : metrics()) {
    if (!metric.compared) continue;
    const std::string key(metric.key);
    auto tables = empty_tables(report, key);
    for (std::size_t a = 0; a < models.size(); ++a) {
      for (std::size_t b = a + 1; b < models.size(); ++b) {
        const auto comparison = compare_models(*measured, models[a], models[b], {.metrics = {key}});
        if (!comparison) continue;  // no point in common
        for (const CellComparison& cell : comparison->cells) {
          const auto table = tables.find(cell.cell);
          if (table != tables.end()) enter(table->second, models[a], models[b], cell.verdict);
        }
      }
    }
    for (auto& [place, table] : tables) list.push_back(std::move(table));
  }
  return list;
}

}  // namespace muxbench
