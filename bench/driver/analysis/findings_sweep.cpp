// What a sweep does to models: where they lose to epoll_level, and what an idle connection costs.
#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/findings_parts.h"
#include "analysis/inference.h"
#include "analysis/verdict.h"
#include "base/format.h"

namespace muxbench {
namespace {

// The classic calls, of which everybody asks where they end: they come first, lost or not.
constexpr std::array kClassics{"select", "poll"};

// Said of every experiment; other metrics only where they answer it.
constexpr const char* kAlwaysSaid = "server_cpu_ns_per_request";

// From which value up to which a model is worse at all values that can be ranked.
struct Range {
  std::string model;
  std::uint64_t from;
  std::uint64_t to;
  double factor;  // of the reference, at `to`
  bool everywhere;
};

struct Compared {
  std::vector<Range> lost;
  // Could be compared at these values, and no loss was found.
  std::map<std::string, std::vector<std::uint64_t>> held;
};

Compared compare_with_reference(const report::Experiment& experiment, const Metric& metric,
                                const Basis& basis) {
  const auto values = experiment.values();
  const auto models = experiment.models();
  const std::size_t comparisons = (models.size() - 1) * values.size();
  Compared compared;
  for (const std::string& model : models) {
    if (model == report::kReference) continue;
    std::optional<Range> range;
    std::vector<std::uint64_t> ranked;
    std::size_t worse_at = 0;
    bool unbroken = true;
    for (auto value = values.rbegin(); value != values.rend(); ++value) {
      const report::Cell* mine = experiment.at(model, *value);
      const report::Cell* theirs = experiment.at(report::kReference, *value);
      if (!can_rank(mine, metric.key) || !can_rank(theirs, metric.key)) continue;
      ranked.insert(ranked.begin(), *value);
      unbroken = unbroken &&
                 verdict_between(basis, *theirs, *mine, metric, comparisons) == Verdict::slower;
      if (!unbroken) continue;
      ++worse_at;
      if (!range) {
        range = Range{model, *value, *value, factor_between(basis, *theirs, *mine, metric), false};
      }
      range->from = *value;
    }
    if (range) {
      range->everywhere = worse_at == values.size();
      compared.lost.push_back(*range);
    } else if (!ranked.empty()) {
      compared.held[model] = ranked;
    }
  }
  return compared;
}

bool is_classic(const std::string& model) {
  return std::find(kClassics.begin(), kClassics.end(), model) != kClassics.end();
}

std::string describe(const Range& range, const report::Experiment& experiment) {
  const std::string where =
      range.everywhere ? fmt::format("at every {}", experiment.parameter)
      : range.from == range.to
          ? fmt::format("at {} {}", experiment.parameter, range.to)
          : fmt::format("from {} {} to {}", experiment.parameter, range.from, range.to);
  return fmt::format("{} {} ({:.2g} times at {})", range.model, where, range.factor, range.to);
}

void say_loss(const report::Experiment& experiment, const Metric& metric, const Basis& basis,
              report::Conclusions& into) {
  Compared compared = compare_with_reference(experiment, metric, basis);
  const auto worse_by = [&](const Range& range) {
    return metric.more_is_better ? 1 / range.factor : range.factor;
  };
  std::stable_sort(compared.lost.begin(), compared.lost.end(), [&](const Range& a, const Range& b) {
    if (is_classic(a.model) != is_classic(b.model)) return is_classic(a.model);
    return worse_by(a) > worse_by(b);
  });
  std::vector<std::string> parts;
  for (const Range& range : compared.lost) {
    parts.push_back(describe(range, experiment));
    into.crossovers.push_back({.experiment = experiment.name,
                               .model = range.model,
                               .against = report::kReference,
                               .metric = std::string(metric.key),
                               .parameter = experiment.parameter,
                               .value = range.from});
  }
  for (const char* classic : kClassics) {
    const auto held = compared.held.find(classic);
    if (held == compared.held.end()) continue;
    parts.push_back(fmt::format("not shown for {}, compared at {} {}", classic,
                                experiment.parameter, fmt::join(held->second, ", ")));
  }
  if (parts.empty()) return;
  say(into, "crossover", experiment.name, metric.key,
      fmt::format("{} than {}: {}.", metric.worse, report::kReference, fmt::join(parts, "; ")));
}

struct Cost {
  const char* metric;
  const char* title;
  std::string (*format)(double);
};
std::string format_bytes_exactly(double bytes) { return fmt::format("{:.0f} bytes", bytes); }
std::string format_small_time(double nanoseconds) {
  return nanoseconds < 100 ? fmt::format("{:.2g} ns", nanoseconds) : format_time(nanoseconds);
}
constexpr std::array kCosts{
    Cost{"server_cpu_ns_per_request", "Server CPU of a request for each idle connection",
         format_small_time},
    Cost{"server_memory_bytes", "Server memory for each idle connection", format_bytes_exactly}};

struct Slope {
  std::string model;
  LineFit fit;
};

std::vector<Slope> slopes_of(const report::Experiment& experiment, const Cost& cost) {
  std::vector<Slope> slopes;
  const std::uint64_t last = experiment.values().back();
  for (const std::string& model : experiment.models()) {
    // A line that ends early would be compared with others that do not.
    if (!can_rank(experiment.at(model, last), cost.metric)) continue;
    std::vector<Observation> observations;
    for (const std::uint64_t value : experiment.values()) {
      const report::Cell* cell = experiment.at(model, value);
      if (!can_rank(cell, cost.metric)) continue;
      observations.push_back({static_cast<double>(value), trials_of(*cell, cost.metric)});
    }
    if (const auto fit = fit_line(observations)) slopes.push_back({model, *fit});
  }
  return slopes;
}

void say_slope(const report::Experiment& experiment, const Cost& cost, report::Conclusions& into) {
  auto slopes = slopes_of(experiment, cost);
  if (slopes.empty()) return;
  std::stable_sort(slopes.begin(), slopes.end(),
                   [](const Slope& a, const Slope& b) { return a.fit.slope > b.fit.slope; });
  std::vector<std::string> paying;
  std::vector<std::string> others;
  double most = 0;
  for (const auto& [model, fit] : slopes) {
    const double half = fit.half_width();
    into.fits.push_back({.experiment = experiment.name,
                         .model = model,
                         .metric = cost.metric,
                         .parameter = experiment.parameter,
                         .intercept = fit.intercept,
                         .slope = fit.slope,
                         .low = fit.slope - half,
                         .high = fit.slope + half,
                         .trials = fit.trials});
    // One claim among as many as there are models: each must hold against all of them.
    if (fit.slope > fit.half_width(slopes.size())) {
      paying.push_back(fmt::format("{} {} ({} to {})", model, cost.format(fit.slope),
                                   cost.format(std::max(0.0, fit.slope - half)),
                                   cost.format(fit.slope + half)));
    } else {
      others.push_back(model);
      most = std::max(most, fit.slope + half);
    }
  }
  std::string text = fmt::format("{}: {}", cost.title, fmt::join(paying, ", "));
  if (!others.empty()) {
    text += fmt::format("{}none that shows for {} (at most {})", paying.empty() ? "" : "; ",
                        fmt::join(others, ", "), cost.format(most));
  }
  say(into, "slope", experiment.name, cost.metric, text + ".");
}

}  // namespace

void say_crossovers(const report::Experiment& experiment, const Basis& basis,
                    report::Conclusions& into) {
  const auto models = experiment.models();
  const bool has_reference =
      std::find(models.begin(), models.end(), report::kReference) != models.end();
  if (experiment.parameter.empty() || !has_reference || models.size() < 2) return;
  say_loss(experiment, metric_of(experiment.metric), basis, into);
  if (experiment.metric != kAlwaysSaid) say_loss(experiment, metric_of(kAlwaysSaid), basis, into);
}

void say_slopes(const report::Experiment& experiment, report::Conclusions& into) {
  if (experiment.parameter != "idle") return;
  for (const Cost& cost : kCosts) say_slope(experiment, cost, into);
}

}  // namespace muxbench
