#include "analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/noise_remarks.h"

namespace muxbench {
namespace {

std::size_t trial_count(const MeasuredCell& cell, const std::string& metric) {
  const auto found = cell.values.find(metric);
  return found == cell.values.end() ? 0 : found->second.size();
}

// The first n: had one side gone on for longer because its trials disagreed, and the other stopped
// because its few agreed, all of one against all of the other would differ by that alone.
std::vector<double> first_of(const MeasuredCell& cell, const std::string& metric, std::size_t n) {
  const auto& values = cell.values.at(metric);
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n)};
}

bool ran(const MeasuredCell* cell) { return cell != nullptr && cell->status == "measured"; }

// What answers the experiment in either report: the same, unless its file changed in between.
std::vector<std::string> metrics_of(const MeasuredReport& base, const MeasuredReport& now,
                                    const std::string& experiment,
                                    const CompareSettings& settings) {
  if (!settings.metrics.empty()) return settings.metrics;
  std::set<std::string> metrics;
  for (const auto* report : {&base, &now}) {
    const auto found = report->metrics.find(experiment);
    if (found != report->metrics.end()) metrics.insert(found->second);
  }
  return {metrics.begin(), metrics.end()};
}

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

// Everything but what the trials' values decide.
CellComparison pair(const std::string& name, const Metric& metric, const MeasuredCell* base,
                    const MeasuredCell* now, bool comparable) {
  CellComparison cell{.cell = name,
                      .experiment = (base == nullptr ? now : base)->experiment,
                      .metric = std::string(metric.key),
                      .more_is_better = metric.more_is_better};
  const auto trials = [&](const MeasuredCell* side) {
    return ran(side) ? trial_count(*side, cell.metric) : 0;
  };
  cell.base_counts = ran(base) || (base != nullptr && base->status == "missing");
  cell.base_trials = trials(base);
  cell.new_trials = trials(now);
  const auto none = [&](Verdict verdict, std::string reason) {
    cell.verdict = verdict;
    cell.reason = std::move(reason);
    return cell;
  };
  if (cell.base_trials == 0 || cell.new_trials == 0) {
    const bool first = cell.base_trials == 0;
    const MeasuredCell* side = first ? base : now;
    return none(Verdict::missing,
                fmt::format("{} {}", first ? "base:" : "new:",
                            side == nullptr              ? "no such cell"
                            : side->status == "measured" ? "not measured, or 0, in some trial"
                                                         : side->status));
  }
  const std::size_t both = std::min(cell.base_trials, cell.new_trials);
  if (both >= 2) {
    cell.ratio = ratio_of(first_of(*base, cell.metric, both), first_of(*now, cell.metric, both));
  }
  if (!comparable) return none(Verdict::refused, "measured under other conditions");
  if (!base->flags.empty() || !now->flags.empty()) {
    std::vector<std::string> sides;
    if (!base->flags.empty()) sides.push_back("base: " + join(base->flags));
    if (!now->flags.empty()) sides.push_back("new: " + join(now->flags));
    return none(Verdict::flagged, fmt::format("{}", fmt::join(sides, "; ")));
  }
  if (both < kCompareRule.fewest_trials) {
    return none(Verdict::insufficient,
                fmt::format("{} and {} trials; a verdict takes {} on each side", cell.base_trials,
                            cell.new_trials, kCompareRule.fewest_trials));
  }
  cell.verdict = Verdict::inconclusive;  // until decide() says more
  return cell;
}

void decide_all(Comparison& comparison) {
  std::vector<CellComparison*> open;
  std::vector<double> p;
  for (CellComparison& cell : comparison.cells) {
    if (cell.verdict != Verdict::inconclusive) continue;
    open.push_back(&cell);
    p.push_back(cell.ratio->p);
  }
  const auto corrected = adjusted(p, comparison.settings.correction);
  VerdictRule rule = kCompareRule;
  rule.alpha = comparison.settings.alpha;
  rule.margin = comparison.settings.margin;
  for (std::size_t i = 0; i < open.size(); ++i) {
    CellComparison& cell = *open[i];
    cell.adjusted_p = corrected[i];
    const Evidence evidence{.trials = std::min(cell.base_trials, cell.new_trials),
                            .ratio = *cell.ratio,
                            .p = corrected[i]};
    const Decision decision = decide(evidence, cell.more_is_better, rule);
    cell.verdict = decision.verdict;
    cell.differs = decision.differs;
  }
}

std::vector<std::string> differences_of(const MeasuredReport& base, const MeasuredReport& now) {
  std::vector<std::string> differences;
  for (const auto& [key, before] : base.conditions) {
    const auto after = now.conditions.find(key);
    if (after != now.conditions.end() && after->second != before) {
      differences.push_back(fmt::format("{}: {:.100} against {:.100}", key, before, after->second));
    }
  }
  return differences;
}

// What one report tells of its host and the other, of an older version or another kernel, does not.
void remark_on_untold(const MeasuredReport& teller, const MeasuredReport& other,
                      std::vector<std::string>& remarks) {
  for (const auto& [key, value] : teller.conditions) {
    // An experiment of one report only has nothing to be compared with.
    if (other.conditions.contains(key) || key.starts_with("experiment ")) continue;
    remarks.push_back(fmt::format("{}: {:.60}, and {} does not tell", key, value, other.file));
  }
}

void remark_on_status(const MeasuredReport& report, std::vector<std::string>& remarks) {
  if (report.status == "complete") return;
  remarks.push_back(fmt::format("{}: the run was {}", report.file, report.status));
}

std::vector<std::string> remarks_on(const MeasuredReport& base, const MeasuredReport& now) {
  std::vector<std::string> remarks;
  remark_on_status(base, remarks);
  remark_on_status(now, remarks);
  for (const auto& [experiment, metric] : base.metrics) {
    const auto other = now.metrics.find(experiment);
    if (other == now.metrics.end() || other->second == metric) continue;
    remarks.push_back(
        fmt::format("experiment {}: {} answers it in {} and {} in {}, so both are compared",
                    experiment, metric, base.file, other->second, now.file));
  }
  for (const auto& [key, before] : base.identities) {
    const auto after = now.identities.find(key);
    if (after != now.identities.end() && after->second != before) {
      remarks.push_back(fmt::format("{}: {:.60} against {:.60}", key, before, after->second));
    }
  }
  remark_on_untold(base, now, remarks);
  remark_on_untold(now, base, remarks);
  return remarks;
}

using ById = std::map<std::string, const MeasuredCell*>;

// The cells of one model, or of all with the model in their name.
ById cells_of(const MeasuredReport& report, const std::string& model) {
  ById cells;
  for (const MeasuredCell& cell : report.cells) {
    const std::string place = cell.experiment + "/" + cell.point;
    if (model.empty()) {
      cells[cell.model + "/" + place] = &cell;
    } else if (cell.model == model) {
      cells[place] = &cell;
    }
  }
  return cells;
}

Result<Comparison> compare(Comparison comparison, const MeasuredReport& base_report,
                           const MeasuredReport& new_report, const std::string& base_model,
                           const std::string& new_model) {
  const bool comparable = comparison.differences.empty() || comparison.settings.across_hosts;
  const ById base = cells_of(base_report, base_model);
  const ById now = cells_of(new_report, new_model);
  ById names = base;
  names.insert(now.begin(), now.end());
  bool any_pair = false;
  const auto find = [](const ById& cells, const std::string& name) {
    const auto found = cells.find(name);
    return found == cells.end() ? nullptr : found->second;
  };
  for (const auto& [name, either] : names) {
    const MeasuredCell* before = find(base, name);
    const MeasuredCell* after = find(now, name);
    if (!ran(before) && !ran(after)) continue;  // skipped on both sides: nothing to tell
    any_pair = any_pair || (ran(before) && ran(after));
    for (const std::string& metric :
         metrics_of(base_report, new_report, either->experiment, comparison.settings)) {
      comparison.cells.push_back(
          pair(name, *find_compared_metric(metric), before, after, comparable));
    }
  }
  if (!any_pair) {
    return usage_error(
        "{} and {} have no measured cell in common; compare runs of the same models "
        "and experiments",
        comparison.base, comparison.now);
  }
  decide_all(comparison);
  note_noise_floor(comparison, base_report);
  if (&new_report != &base_report) note_noise_floor(comparison, new_report);
  return comparison;
}

}  // namespace

Result<Comparison> compare_reports(const MeasuredReport& base, const MeasuredReport& now,
                                   const CompareSettings& settings) {
  Comparison comparison{.base = base.file,
                        .now = now.file,
                        .settings = settings,
                        .differences = differences_of(base, now),
                        .remarks = remarks_on(base, now),
                        .cells = {}};
  return compare(std::move(comparison), base, now, "", "");
}

Result<Comparison> compare_models(const MeasuredReport& report, const std::string& base,
                                  const std::string& now, const CompareSettings& settings) {
  for (const std::string& model : {base, now}) {
    const bool known = std::any_of(report.cells.begin(), report.cells.end(),
                                   [&](const MeasuredCell& cell) { return cell.model == model; });
    if (!known) return usage_error("{} has no model \"{}\"", report.file, model);
  }
  if (base == now) return usage_error("--models needs two models, and {} is one", base);
  Comparison comparison{.base = base,
                        .now = now,
                        .settings = settings,
                        .differences = {},
                        .remarks = {},
                        .cells = {}};
  remark_on_status(report, comparison.remarks);
  return compare(std::move(comparison), report, report, base, now);
}

Regression regression_of(const CellComparison& cell, double limit) {
  const bool judged = cell.verdict == Verdict::faster || cell.verdict == Verdict::slower ||
                      cell.verdict == Verdict::same || cell.verdict == Verdict::inconclusive;
  // What the base never had, or what failed there, cannot have become worse.
  if (!cell.base_counts) return Regression::no;
  if (!judged) return Regression::undecided;
  // 5 % less throughput, or 5 % more of what had better be less: as the table says it.
  const double allowed = cell.more_is_better ? -std::log1p(-limit) : std::log1p(limit);
  const auto loss = [&](double ratio) {
    return cell.more_is_better ? -std::log(ratio) : std::log(ratio);
  };
  // Where the margin is wider than the limit, even what is called the same can be a regression.
  if (cell.differs && loss(cell.ratio->ratio) >= allowed) return Regression::yes;
  const double worst = std::max(loss(cell.ratio->low), loss(cell.ratio->high));
  return worst < allowed ? Regression::no : Regression::undecided;
}

Regression regression_of(const Comparison& comparison, double limit) {
  Regression result = Regression::no;
  for (const CellComparison& cell : comparison.cells) {
    const Regression found = regression_of(cell, limit);
    if (found == Regression::yes) return found;
    if (found == Regression::undecided) result = found;
  }
  return result;
}

}  // namespace muxbench
