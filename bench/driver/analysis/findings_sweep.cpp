// What a sweep does to models: where they lose to epoll_level, and what an idle connection costs.
#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/findings_parts.h"
#include "analysis/inference.h"
#include "base/format.h"

namespace muxbench {
namespace {

constexpr const char* kBaseline = "epoll_level";
// The classic calls, of which everybody asks where they end: they come first, lost or not.
constexpr std::array kClassics{"select", "poll"};

struct Loss {
  const char* metric;
  const char* title;
  bool more_is_worse;
  bool always = false;  // or only where it answers the experiment
};
constexpr std::array kLosses{
    Loss{"requests_per_second", "Lower throughput than epoll_level", false},
    Loss{"latency_mean_ns", "Higher mean latency than epoll_level", true},
    Loss{"latency_p50_ns", "Higher median latency than epoll_level", true},
    Loss{"latency_p99_ns", "Higher p99 than epoll_level", true},
    Loss{"server_memory_bytes", "More server memory than epoll_level", true},
    Loss{"server_cpu_ns_per_request", "More server CPU per request than epoll_level", true, true}};

// From which value up to which a model is worse at all values that can be ranked.
struct Range {
  std::string model;
  std::uint64_t from;
  std::uint64_t to;
  double factor;  // at `to`
  bool everywhere;
};

struct Compared {
  std::vector<Range> lost;
  // Could be compared at these values, and no loss was found.
  std::map<std::string, std::vector<std::uint64_t>> held;
};

const std::vector<double>& trials_of(const CellView& cell, const char* metric) {
  return cell.trials.at(metric);
}

bool comparable(const CellView* cell, const char* metric) {
  return can_rank(cell, metric) && cell->trials.contains(metric);
}

Compared compare_with_baseline(const ExperimentView& experiment, const Loss& loss) {
  const auto values = experiment.values();
  const auto models = experiment.models();
  const std::size_t comparisons = (models.size() - 1) * values.size();
  const double floor = experiment.floors.at(loss.metric);
  Compared compared;
  for (const std::string& model : models) {
    if (model == kBaseline) continue;
    std::optional<Range> range;
    std::vector<std::uint64_t> ranked;
    std::size_t worse_at = 0;
    bool unbroken = true;
    for (auto value = values.rbegin(); value != values.rend(); ++value) {
      const CellView* mine = experiment.at(model, *value);
      const CellView* theirs = experiment.at(kBaseline, *value);
      if (!comparable(mine, loss.metric) || !comparable(theirs, loss.metric)) continue;
      ranked.insert(ranked.begin(), *value);
      const CellView* more = loss.more_is_worse ? mine : theirs;
      const CellView* less = loss.more_is_worse ? theirs : mine;
      unbroken = unbroken && clearly_greater(trials_of(*more, loss.metric),
                                             trials_of(*less, loss.metric), comparisons, floor);
      if (!unbroken) continue;
      ++worse_at;
      if (!range) {
        range = Range{model, *value, *value,
                      more->metric(loss.metric)->median / less->metric(loss.metric)->median, false};
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

std::string describe(const Range& range, const ExperimentView& experiment, const Loss& loss) {
  const std::string where =
      range.everywhere ? fmt::format("at every {}", experiment.parameter)
      : range.from == range.to
          ? fmt::format("at {} {}", experiment.parameter, range.to)
          : fmt::format("from {} {} to {}", experiment.parameter, range.from, range.to);
  const double factor = loss.more_is_worse ? range.factor : 1 / range.factor;
  return fmt::format("{} {} ({:.2g} times at {})", range.model, where, factor, range.to);
}

void say_loss(const ExperimentView& experiment, const Loss& loss, Conclusions& into) {
  Compared compared = compare_with_baseline(experiment, loss);
  std::stable_sort(compared.lost.begin(), compared.lost.end(), [](const Range& a, const Range& b) {
    if (is_classic(a.model) != is_classic(b.model)) return is_classic(a.model);
    return a.factor > b.factor;
  });
  std::vector<std::string> parts;
  for (const Range& range : compared.lost) {
    parts.push_back(describe(range, experiment, loss));
    into.crossovers.push_back({{"experiment", experiment.name},
                               {"model", range.model},
                               {"against", kBaseline},
                               {"metric", loss.metric},
                               {"parameter", experiment.parameter},
                               {"value", range.from}});
  }
  for (const char* classic : kClassics) {
    const auto held = compared.held.find(classic);
    if (held == compared.held.end()) continue;
    parts.push_back(fmt::format("not shown for {}, compared at {} {}", classic,
                                experiment.parameter, fmt::join(held->second, ", ")));
  }
  if (parts.empty()) return;
  into.say("crossover", experiment.name, loss.metric,
           fmt::format("{}: {}.", loss.title, fmt::join(parts, "; ")));
}

struct Cost {
  const char* metric;
  const char* title;
  std::string (*show)(double);
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

std::vector<Slope> slopes_of(const ExperimentView& experiment, const Cost& cost) {
  std::vector<Slope> slopes;
  const std::uint64_t last = experiment.values().back();
  for (const std::string& model : experiment.models()) {
    // A line that ends early would be compared with others that do not.
    if (!comparable(experiment.at(model, last), cost.metric)) continue;
    std::vector<Observation> observations;
    for (const std::uint64_t value : experiment.values()) {
      const CellView* cell = experiment.at(model, value);
      if (!comparable(cell, cost.metric)) continue;
      observations.push_back({static_cast<double>(value), trials_of(*cell, cost.metric)});
    }
    if (const auto fit = fit_line(observations)) slopes.push_back({model, *fit});
  }
  return slopes;
}

void say_slope(const ExperimentView& experiment, const Cost& cost, Conclusions& into) {
  auto slopes = slopes_of(experiment, cost);
  if (slopes.empty()) return;
  std::stable_sort(slopes.begin(), slopes.end(),
                   [](const Slope& a, const Slope& b) { return a.fit.slope > b.fit.slope; });
  std::vector<std::string> paying;
  std::vector<std::string> others;
  double most = 0;
  for (const auto& [model, fit] : slopes) {
    const double half = fit.half_width();
    into.fits.push_back({{"experiment", experiment.name},
                         {"model", model},
                         {"metric", cost.metric},
                         {"parameter", experiment.parameter},
                         {"intercept", fit.intercept},
                         {"slope", fit.slope},
                         {"low", fit.slope - half},
                         {"high", fit.slope + half},
                         {"trials", fit.trials}});
    // One claim among as many as there are models: each must hold against all of them.
    if (fit.slope > fit.half_width(slopes.size())) {
      paying.push_back(fmt::format("{} {} ({} to {})", model, cost.show(fit.slope),
                                   cost.show(std::max(0.0, fit.slope - half)),
                                   cost.show(fit.slope + half)));
    } else {
      others.push_back(model);
      most = std::max(most, fit.slope + half);
    }
  }
  std::string text = fmt::format("{}: {}", cost.title, fmt::join(paying, ", "));
  if (!others.empty()) {
    text += fmt::format("{}none that shows for {} (at most {})", paying.empty() ? "" : "; ",
                        fmt::join(others, ", "), cost.show(most));
  }
  into.say("slope", experiment.name, cost.metric, text + ".");
}

}  // namespace

void say_crossovers(const ExperimentView& experiment, Conclusions& into) {
  const auto models = experiment.models();
  const bool has_baseline = std::find(models.begin(), models.end(), kBaseline) != models.end();
  if (experiment.parameter.empty() || !has_baseline || models.size() < 2) return;
  for (const Loss& loss : kLosses) {
    if (!loss.always && loss.metric != experiment.metric) continue;
    say_loss(experiment, loss, into);
  }
}

void say_slopes(const ExperimentView& experiment, Conclusions& into) {
  if (experiment.parameter != "idle") return;
  for (const Cost& cost : kCosts) say_slope(experiment, cost, into);
}

}  // namespace muxbench
