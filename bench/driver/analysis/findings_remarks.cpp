// What was flagged, skipped, failed or missed: one sentence per cause, however many cells it hit.
#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/findings_parts.h"
#include "analysis/noise_floor.h"
#include "analysis/verdict.h"

namespace muxbench {
namespace {

struct Group {
  std::string kind;   // of the finding
  std::string title;  // "Skipped"
  std::string reason;
  std::string consequence = ", so not ranked";
  std::size_t cells = 0;
  std::vector<std::pair<std::string, std::vector<Point>>> points;  // by model

  void add(const std::string& model, const Point& point) {
    ++cells;
    if (points.empty() || points.back().first != model) {
      const auto same = [&](const auto& entry) { return entry.first == model; };
      const auto found = std::find_if(points.begin(), points.end(), same);
      if (found != points.end()) {
        found->second.push_back(point);
        return;
      }
      points.push_back({model, {}});
    }
    points.back().second.push_back(point);
  }
};

class Groups {
 public:
  // Cells of one `key` are told together, with the reason of the first.
  Group& at(const std::string& key) {
    const auto [found, is_new] = places_.emplace(key, groups_.size());
    if (is_new) groups_.emplace_back();
    return groups_[found->second];
  }
  const std::vector<Group>& all() const { return groups_; }

 private:
  std::map<std::string, std::size_t> places_;
  std::vector<Group> groups_;
};

std::string capitalized(std::string word) {
  word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

// Where all of a swept key's values were hit, the model's name says it all; where many were, their
// number: the tables have each.
std::string describe(const Group& group, const report::Experiment& experiment) {
  constexpr std::size_t kMostTold = 3;
  const std::size_t points = experiment.points().size();
  std::vector<std::string> parts;
  for (const auto& [model, where] : group.points) {
    if (where.size() == points) {
      parts.push_back(model);
    } else if (where.size() > kMostTold) {
      parts.push_back(fmt::format("{} at {} of {} points", model, where.size(), points));
    } else {
      parts.push_back(fmt::format("{} at {}", model, format_points(experiment, where)));
    }
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

// Slices say by themselves where they are too few.
bool has_trials_enough(const report::Cell& cell) {
  const auto rates = cell.values.find("requests_per_second");
  return cell.sliced() ||
         (rates != cell.values.end() && rates->second.size() >= kFindingRule.fewest_trials);
}

// Where the time ended within a repetition, some cells can be ranked and others not.
bool ranks_others(const report::Experiment& experiment) {
  return std::any_of(
      experiment.cells.begin(), experiment.cells.end(),
      [](const report::Cell& cell) { return cell.measured() && has_trials_enough(cell); });
}

}  // namespace

void say_remarks(const report::Experiment& experiment, report::Conclusions& into) {
  Groups groups;
  const bool some_are_ranked = ranks_others(experiment);
  for (const report::Cell& cell : experiment.cells) {
    if (some_are_ranked && cell.measured() && !has_trials_enough(cell)) {
      Group& group = groups.at("too few trials");
      group.kind = "absent";
      group.title = "Measured too seldom";
      group.reason = fmt::format("fewer than {} trials", kFindingRule.fewest_trials);
      group.add(cell.model, cell.point);
    }
    if (!cell.measured()) {
      Group& group = groups.at(cell.status + cell.reason);
      group.kind = "absent";
      group.title = capitalized(cell.status);
      group.reason = cell.reason;
      group.add(cell.model, cell.point);
    }
    for (const Flag& flag : cell.flags) {
      Group& group = groups.at("flag " + flag.kind);
      if (group.cells == 0) group.reason = flag.detail;
      group.kind = "flagged";
      group.title = "Flagged as " + flag.kind;
      group.consequence = consequence_of(flag);
      group.add(cell.model, cell.point);
    }
  }
  for (const Group& group : groups.all()) {
    const bool example = group.kind == "flagged" && group.cells > 1;
    say(into, group.kind, experiment.name, "",
        fmt::format("{}{}: {}{}{}.", group.title, group.consequence, describe(group, experiment),
                    group.reason.empty() ? ""
                    : example            ? " (for example, "
                                         : " (",
                    group.reason.empty() ? "" : group.reason + ")"));
  }
}

namespace {

struct Floor {
  double apart = 0;  // as a share
  double reach = 0;  // of the intervals
  std::size_t points = 0;
};

Floor floor_of(const std::vector<TwinRatio>& twins, const std::string& metric) {
  Floor floor;
  for (const TwinRatio& twin : twins) {
    if (twin.metric != metric) continue;
    ++floor.points;
    floor.apart = std::max(floor.apart, std::abs(twin.ratio.ratio - 1));
    floor.reach = std::max({floor.reach, twin.ratio.high - 1, 1 - twin.ratio.low});
  }
  return floor;
}

}  // namespace

void say_noise_floor(const report::Report& report, const std::vector<TwinRatio>& twins,
                     report::Conclusions& into) {
  if (report.twin_trials.empty()) return;
  bool known = false;
  const bool paired =
      std::any_of(twins.begin(), twins.end(), [](const TwinRatio& twin) { return twin.paired; });
  for (const Metric& metric : metrics()) {
    const bool cpu_of_slices = paired && metric.key == "server_cpu_ns_per_request";
    if (metric.unit != Unit::per_second && !cpu_of_slices) continue;
    const Floor floor = floor_of(twins, std::string(metric.key));
    if (floor.points == 0) continue;
    known = true;
    say(into, "noise_floor", "", metric.key,
        fmt::format("The noise floor{}: the same server measured twice under two names, at {} "
                    "point{}, differed from itself by up to {:.1f} % (95 % intervals reach {:.1f} "
                    "%); smaller differences between models mean nothing.",
                    paired ? fmt::format(" of {}", metric.title) : "", floor.points,
                    floor.points == 1 ? "" : "s", floor.apart * 100, floor.reach * 100));
  }
  if (known) return;
  say(into, "noise_floor", "", "requests_per_second",
      "The noise floor is not known: what was measured twice under two names is flagged, has "
      "too few trials, or had its rate given.");
}

}  // namespace muxbench
