#include "analysis/noise_floor.h"

#include <algorithm>
#include <set>
#include <vector>

#include "report/metric.h"

namespace muxbench {
namespace {

struct Side {
  std::size_t good_trials = 0;
  std::map<std::string, std::vector<double>> values;  // by metric

  // Nothing of a metric that a trial lacks: it is the slow one that has no percentile.
  std::vector<double> all_of(const std::string& metric) const {
    const auto found = values.find(metric);
    const bool all = found != values.end() && found->second.size() == good_trials;
    return all ? found->second : std::vector<double>{};
  }
};

std::map<std::string, Side> sides_of(const Json& trials) {
  std::map<std::string, Side> sides;  // by cell
  for (const Json& trial : trials) {
    if (trial.at("status") != "ok") continue;
    Side& side = sides[trial.at("cell").get<std::string>()];
    ++side.good_trials;
    for (const auto& [metric, value] : compared_values(trial)) {
      if (value > 0) side.values[metric].push_back(value);
    }
  }
  return sides;
}

// Their rate is given: that the server kept it twice does not tell how throughput varies here.
std::set<std::string> open_loops(const Json& section) {
  std::set<std::string> names;
  for (const Json& experiment : section.at("experiments")) {
    const Json::json_pointer mode("/load/mode");
    if (experiment.contains(mode) && experiment.at(mode) == "open") {
      names.insert(experiment.at("name").get<std::string>());
    }
  }
  return names;
}

}  // namespace

std::vector<TwinRatio> twin_ratios(const Json& section) {
  if (!section.contains("twin_trials") || section.at("twin_trials").empty()) return {};
  const auto once = sides_of(section.at("trials"));
  const auto again = sides_of(section.at("twin_trials"));
  const auto rate_is_given = open_loops(section);
  std::vector<TwinRatio> twins;
  for (const Json& cell : section.at("cells")) {
    const auto id = cell.at("id").get<std::string>();
    if (!cell.at("flags").empty() || !once.contains(id) || !again.contains(id)) continue;
    const auto experiment = cell.at("experiment").get<std::string>();
    for (const ComparedMetric& metric : compared_metrics()) {
      if (metric.name == "requests_per_second" && rate_is_given.contains(experiment)) continue;
      auto first = once.at(id).all_of(metric.name);
      auto second = again.at(id).all_of(metric.name);
      const std::size_t trials = std::min(first.size(), second.size());
      if (trials < 2) continue;
      first.resize(trials);
      second.resize(trials);
      twins.push_back({.cell = id,
                       .experiment = experiment,
                       .metric = metric.name,
                       .trials = trials,
                       .ratio = ratio_of(first, second)});
    }
  }
  return twins;
}

NoiseFloor::NoiseFloor(const std::vector<TwinRatio>& twins) {
  for (const TwinRatio& twin : twins) {
    double& apart = apart_[twin.experiment][twin.metric];
    apart = std::max({apart, twin.ratio.ratio, 1 / twin.ratio.ratio});
  }
}

double NoiseFloor::of(const std::string& experiment, const std::string& metric) const {
  const auto metrics = apart_.find(experiment);
  if (metrics == apart_.end()) return 1;
  const auto apart = metrics->second.find(metric);
  return apart == metrics->second.end() ? 1 : apart->second;
}

bool NoiseFloor::holds(const std::string& experiment, const std::string& metric,
                       double ratio) const {
  return std::max(ratio, 1 / ratio) <= of(experiment, metric);
}

}  // namespace muxbench
