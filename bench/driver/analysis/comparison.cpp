#include "analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

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

// What is compared, and where.
struct Reports {
  const MeasuredReport& base;
  const MeasuredReport& now;
  bool comparable;
  bool metrics_named;  // by who compares
  // The model that both measured in slices at a place, by that place ("idle/idle:0/connections:100").
  // None within one report, where blocks pair the two sides as they are.
  std::optional<std::map<std::string, std::string>> references;
};

// What answers the cell's experiment in either report: the same, unless its file changed in between.
// Slices know CPU time best, so it is compared wherever there are any.
std::vector<std::string> metrics_of(const Reports& reports, const MeasuredCell& cell,
                                    const CompareSettings& settings) {
  if (!settings.metrics.empty()) return settings.metrics;
  std::set<std::string> metrics;
  for (const auto* report : {&reports.base, &reports.now}) {
    const auto found = report->metrics.find(cell.experiment);
    if (found != report->metrics.end()) metrics.insert(found->second);
  }
  if (cell.sliced) metrics.insert("server_cpu_ns_per_request");
  return {metrics.begin(), metrics.end()};
}

bool told_by_blocks(const MeasuredCell& cell, const std::string& metric) {
  return cell.sliced && told_by_slices(metric);
}

bool withholds(const MeasuredCell* side, const std::string& metric) {
  return side != nullptr && side->withheld.contains(metric);
}

// Why a side has no value: for a reader who sees it nowhere else.
std::string why_missing(const MeasuredCell* side, const std::string& metric) {
  if (side == nullptr) return "no such cell";
  if (withholds(side, metric)) return side->withheld.at(metric);
  return side->status == "measured" ? "not measured, or 0, in some trial" : side->status;
}

void take_trials(const MeasuredCell& base, const MeasuredCell& now, CellComparison& cell) {
  const std::size_t both = std::min(cell.base_trials, cell.new_trials);
  if (both < 2) return;
  cell.ratio = ratio_of(first_of(base, cell.metric, both), first_of(now, cell.metric, both));
}

void take_blocks(const MeasuredReport& report, const MeasuredCell& base, const MeasuredCell& now,
                 CellComparison& cell) {
  const auto paired = report.slices.ratio(base.id, now.id, cell.metric);
  cell.paired = true;
  cell.base_trials = cell.new_trials = paired ? paired->blocks : 0;
  if (paired) cell.ratio = to_ratio(paired->log);
}

// Each side against the reference of its report.
void take_relative(const Reports& reports, const MeasuredCell& base, const MeasuredCell& now,
                   CellComparison& cell) {
  const std::string place = "/" + base.experiment + "/" + base.point;
  const auto relative = [&](const MeasuredReport& report, const MeasuredCell& side) {
    return report.slices.ratio(cell.reference + place, side.id, cell.metric);
  };
  const auto before = relative(reports.base, base);
  const auto after = relative(reports.now, now);
  cell.paired = true;
  cell.absolute = std::exchange(cell.ratio, std::nullopt);
  cell.base_trials = before ? before->blocks : 0;
  cell.new_trials = after ? after->blocks : 0;
  if (before && after) cell.ratio = to_ratio(difference(after->log, before->log));
}

// The ratio and what it rests on.
void take_evidence(const Reports& reports, const MeasuredCell& base, const MeasuredCell& now,
                   CellComparison& cell) {
  take_trials(base, now, cell);
  if (!told_by_blocks(base, cell.metric) || !told_by_blocks(now, cell.metric)) return;
  if (!reports.references) return take_blocks(reports.base, base, now, cell);
  const auto reference = reports.references->find(base.experiment + "/" + base.point);
  if (reference == reports.references->end()) return;
  cell.reference = reference->second;
  take_relative(reports, base, now, cell);
}

std::string too_few(const CellComparison& cell) {
  if (cell.paired) {
    return fmt::format("too few blocks in common ({} and {})", cell.base_trials, cell.new_trials);
  }
  return fmt::format("{} and {} trials; a verdict takes {} on each side", cell.base_trials,
                     cell.new_trials, kCompareRule.fewest_trials);
}

// "base: noisy, errors; new: errors": the flags that forbid a verdict by this metric.
std::string flags_against(const MeasuredCell& base, const MeasuredCell& now,
                          const std::string& metric) {
  std::vector<std::string> sides;
  for (const auto& [side, name] : {std::pair{&base, "base"}, std::pair{&now, "new"}}) {
    std::vector<std::string> kinds;
    for (const Flag& flag : side->flags) {
      if (forbids_ranking(flag, metric)) kinds.push_back(flag.kind);
    }
    if (!kinds.empty()) sides.push_back(fmt::format("{}: {}", name, fmt::join(kinds, ", ")));
  }
  return fmt::format("{}", fmt::join(sides, "; "));
}

std::string other_definition(const Reports& reports, const std::string& metric) {
  const std::string& before = reports.base.memory_definition;
  const std::string& after = reports.now.memory_definition;
  if (metric != "server_memory_bytes" || before == after) return "";
  return fmt::format("memory is {} on one side and {} on the other", before, after);
}

// Everything but what the trials' values decide.
CellComparison pair(const Reports& reports, const std::string& name, const Metric& metric,
                    const MeasuredCell* base, const MeasuredCell* now) {
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
    cell.passed_over =
        !reports.metrics_named && (withholds(base, cell.metric) || withholds(now, cell.metric));
    return none(Verdict::missing, fmt::format("{} {}", first ? "base:" : "new:",
                                              why_missing(first ? base : now, cell.metric)));
  }
  take_evidence(reports, *base, *now, cell);
  if (!reports.comparable) return none(Verdict::refused, "measured under other conditions");
  if (auto reason = other_definition(reports, cell.metric); !reason.empty()) {
    return none(Verdict::refused, std::move(reason));
  }
  if (auto reason = flags_against(*base, *now, cell.metric); !reason.empty()) {
    return none(Verdict::flagged, std::move(reason));
  }
  if (cell.reference == base->model) {
    cell.ratio.reset();
    return none(Verdict::reference, "the others are compared with it");
  }
  if (!cell.ratio || std::min(cell.base_trials, cell.new_trials) < kCompareRule.fewest_trials) {
    return none(Verdict::insufficient, too_few(cell));
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

// The model that both reports measured in slices at each place: the reference, or the base's first.
std::map<std::string, std::string> references_of(const MeasuredReport& base,
                                                 const MeasuredReport& now) {
  std::set<std::string> sliced;
  for (const MeasuredCell& cell : now.cells) {
    if (ran(&cell) && cell.sliced) sliced.insert(cell.id);
  }
  std::map<std::string, std::string> references;
  for (const MeasuredCell& cell : base.cells) {
    if (!ran(&cell) || !cell.sliced || !sliced.contains(cell.id)) continue;
    std::string& model = references[cell.experiment + "/" + cell.point];
    if (model.empty() || cell.model == report::kReference) model = cell.model;
  }
  return references;
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

Result<Comparison> compare(Comparison comparison, const Reports& reports,
                           const std::string& base_model, const std::string& new_model) {
  const ById base = cells_of(reports.base, base_model);
  const ById now = cells_of(reports.now, new_model);
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
    for (const std::string& metric : metrics_of(reports, *either, comparison.settings)) {
      comparison.cells.push_back(pair(reports, name, *find_compared_metric(metric), before, after));
    }
  }
  if (!any_pair) {
    return usage_error(
        "{} and {} have no measured cell in common; compare runs of the same models "
        "and experiments",
        comparison.base, comparison.now);
  }
  decide_all(comparison);
  note_noise_floor(comparison, reports.base);
  if (&reports.now != &reports.base) note_noise_floor(comparison, reports.now);
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
  const bool comparable = comparison.differences.empty() || settings.across_hosts;
  return compare(std::move(comparison),
                 {base, now, comparable, !settings.metrics.empty(), references_of(base, now)}, "",
                 "");
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
  return compare(std::move(comparison),
                 {report, report, true, !settings.metrics.empty(), std::nullopt}, base, now);
}

Regression regression_of(const CellComparison& cell, double limit) {
  const bool judged = cell.verdict == Verdict::faster || cell.verdict == Verdict::slower ||
                      cell.verdict == Verdict::same || cell.verdict == Verdict::inconclusive;
  // What the base never had, or what failed there, cannot have become worse.
  if (!cell.base_counts) return Regression::no;
  // The others tell whether they became worse beside it, and nothing whether it did.
  if (cell.verdict == Verdict::reference || cell.passed_over) return Regression::no;
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
