// How fast the host was while slices were measured, and which models gain or lose by that.
#include <algorithm>
#include <cmath>

#include "analysis/findings_parts.h"
#include "analysis/host_states.h"
#include "base/format.h"

namespace muxbench {
namespace {

constexpr const char* kCost = "server_cpu_ns_per_request";
constexpr std::size_t kFewestToCompare = 10;  // blocks of a level

// A model beside the reference at one level.
struct AtLevel {
  const report::Cell* cell;
  std::size_t level;
  PairedRatio ratio;
};

std::vector<AtLevel> compare_at_levels(const report::Experiment& experiment,
                                       const report::Cell& reference,
                                       const std::vector<HostSpeed>& speeds,
                                       const PairedSlices& slices) {
  std::vector<AtLevel> found;
  const auto usable = [](const HostSpeed& speed) {
    return speed.slices.size() >= kFewestToCompare;
  };
  if (std::count_if(speeds.begin(), speeds.end(), usable) < 2) return found;
  std::vector<std::optional<PointFit>> fits;  // by level
  for (const HostSpeed& speed : speeds) {
    auto& fit = fits.emplace_back();
    if (!usable(speed)) continue;
    fit = slices.fit(reference.id, kCost)->only({speed.slices.begin(), speed.slices.end()});
  }
  for (const report::Cell& cell : experiment.cells) {
    if (cell.point != reference.point || &cell == &reference) continue;
    for (std::size_t level = 0; level < fits.size(); ++level) {
      if (!fits[level]) continue;
      const auto ratio = fits[level]->ratio(slices.servers(reference.id), slices.servers(cell.id));
      if (ratio) found.push_back({&cell, level, *ratio});
    }
  }
  return found;
}

report::HostStates states_of(const report::Cell& reference, const std::vector<HostSpeed>& speeds,
                             const std::vector<AtLevel>& compared) {
  report::HostStates states{.experiment = reference.experiment,
                            .point = reference.point,
                            .reference = reference.model,
                            .levels = {},
                            .relative = {},
                            .dependent = {}};
  for (const HostSpeed& speed : speeds) {
    states.levels.push_back({std::exp(speed.log_cost), speed.slices.size()});
    states.blocks += speed.slices.size();
  }
  for (const AtLevel& at : compared) {
    const Ratio ratio = to_ratio(at.ratio.log);
    states.relative.push_back({.model = at.cell->model,
                               .level = at.level,
                               .relative = {ratio.ratio, ratio.low, ratio.high, at.ratio.blocks}});
  }
  return states;
}

// "8.7 us in 34 of 72 blocks, 6.0 us in 38"
std::string format_levels(const report::HostStates& states) {
  std::string text;
  for (const report::HostLevel& level : states.levels) {
    text += text.empty()
                ? fmt::format("{} in {} of {} blocks", format_time(level.cpu_ns_per_request),
                              level.blocks, states.blocks)
                : fmt::format(", {} in {}", format_time(level.cpu_ns_per_request), level.blocks);
  }
  return text;
}

// Whether the intervals of two levels exclude each other, for as many models at once. `levels` are
// of one model.
bool depends_on_level(const std::vector<AtLevel>& levels, std::size_t models) {
  double highest_low = 0;
  double lowest_high = HUGE_VAL;
  for (const AtLevel& at : levels) {
    const Ratio ratio = to_ratio(at.ratio.log, models);
    highest_low = std::max(highest_low, ratio.low);
    lowest_high = std::min(lowest_high, ratio.high);
  }
  return lowest_high < highest_low;
}

// "-10 % at 6.0 us, -24 % at 8.7 us"
std::string format_ratios(const std::vector<AtLevel>& levels, const report::HostStates& states) {
  std::vector<std::string> parts;
  for (const AtLevel& at : levels) {
    parts.push_back(fmt::format("{:+.0f} % at {}", std::expm1(at.ratio.log.mean) * 100,
                                format_time(states.levels[at.level].cpu_ns_per_request)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void find_dependent(const std::vector<AtLevel>& compared, report::HostStates& states) {
  std::map<std::string, std::vector<AtLevel>> by_model;
  for (const AtLevel& at : compared) by_model[at.cell->model].push_back(at);
  for (const auto& [model, levels] : by_model) {
    if (depends_on_level(levels, by_model.size())) {
      states.dependent[model] = format_ratios(levels, states);
    }
  }
}

}  // namespace

void say_host_states(const report::Experiment& experiment, const Basis& basis,
                     report::Conclusions& into) {
  std::vector<std::string> changes;
  std::vector<std::string> dependent;
  for (const Point& point : experiment.points()) {
    const report::Cell* reference = reference_at(experiment, point);
    if (reference == nullptr || basis.slices.logs(reference->id, kCost).empty()) continue;
    const auto speeds = host_speeds(basis.slices.logs(reference->id, kCost));
    const auto compared = compare_at_levels(experiment, *reference, speeds, basis.slices);
    auto states = states_of(*reference, speeds, compared);
    find_dependent(compared, states);
    const std::string where = format_point(experiment, point);
    if (speeds.size() > 1) {
      changes.push_back(fmt::format("at {} a request of {} took {}", where, reference->model,
                                    format_levels(states)));
    }
    for (const auto& [model, ratios] : states.dependent) {
      dependent.push_back(fmt::format("{} at {} ({})", model, where, ratios));
    }
    into.host_states.push_back(std::move(states));
  }
  if (!changes.empty()) {
    say(into, "host_state", experiment.name, kCost,
        fmt::format("The host changed its speed: {} (server CPU). Models are compared block by "
                    "block; those whose ratio depends on the speed are named.",
                    fmt::join(changes, "; ")));
  }
  if (!dependent.empty()) {
    say(into, "host_state", experiment.name, kCost,
        fmt::format("The ratio of server CPU per request depends on the speed of the host: "
                    "{}.",
                    fmt::join(dependent, "; ")));
  }
}

void flag_host_states(report::Report& report) {
  for (const report::HostStates& states : report.conclusions->host_states) {
    for (report::Experiment& experiment : report.experiments) {
      if (experiment.name != states.experiment) continue;
      for (report::Cell& cell : experiment.cells) {
        const auto found = states.dependent.find(cell.model);
        if (cell.point != states.point || found == states.dependent.end()) continue;
        cell.flags.push_back(
            {.kind = "host_state",
             .detail = fmt::format("its CPU time per request, relative to {}, depends on the speed "
                                   "of the host: {}",
                                   states.reference, found->second)});
      }
    }
  }
}

}  // namespace muxbench
