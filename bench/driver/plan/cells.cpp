#include "plan/cells.h"

#include <algorithm>

#include "base/format.h"
#include "plan/name_pattern.h"
#include "plan/slices.h"
#include "plan/trial_cost.h"

namespace muxbench {
namespace {

// What a server or the load generator needs beside one descriptor per connection: listener, epoll
// sets, timers, pipes, libraries' own.
constexpr std::uint64_t kSpareDescriptors = 64;

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string join(const std::vector<std::string>& list) {
  return fmt::format("{}", fmt::join(list, ", "));
}

LoadSettings for_model(const Model& model, LoadSettings settings) {
  const std::uint64_t pool = std::exchange(settings.pool_workers, 0);
  const Capabilities& can = model.capabilities;
  if (pool > 0 && can.workers) {
    settings.workers = can.one_client_per_worker ? settings.all_connections() : pool;
  }
  return settings;
}

Method method_of(const Model& model, const Experiment& experiment, const CellLimits& limits) {
  const Method wanted = experiment.method.value_or(usual_method(experiment));
  return can_be_sliced(model, experiment, limits.has_cgroup) ? wanted : Method::trials;
}

}  // namespace

std::optional<std::string> why_skipped(const Model& model, const Experiment& experiment,
                                       const LoadSettings& settings, const CellLimits& limits) {
  if (!model.available) return model.reason;
  const Capabilities& can = model.capabilities;
  if (!has(can.protocols, experiment.protocol)) {
    return fmt::format("it does not speak {}, only {}", experiment.protocol, join(can.protocols));
  }
  if (!has(can.transports, experiment.transport)) {
    return fmt::format("it does not serve over {}, only over {}", experiment.transport,
                       join(can.transports));
  }
  if (limits.load_hosts && experiment.transport == "unix") {
    return "load hosts cannot reach its socket file; leave out --load-hosts";
  }
  // How a model without workers scales is no question, so that its one point would mislead.
  if (!can.workers && (settings.workers > 1 || sweeps(experiment, "workers"))) {
    return "it has one worker by its nature";
  }
  if (!can.workers && settings.slow_worker_us > 0) {
    return "it has one worker by its nature, and no other can stand in for a slow one";
  }
  if (limits.cpus > 0 && settings.workers > limits.cpus) {
    return fmt::format("the server has {} CPU{}, and this point has {} workers", limits.cpus,
                       limits.cpus == 1 ? "" : "s", settings.workers);
  }
  const char* work = settings.work_child > 0      ? "child"
                     : settings.work_sleep_us > 0 ? "sleep"
                     : settings.work_spin_us > 0  ? "spin"
                                                  : "none";
  if (work != std::string("none") && !has(can.work, work)) {
    return fmt::format("it does not do the work \"{}\" for a request", work);
  }
  const std::uint64_t connections = settings.all_connections();
  if (!can.concurrent && connections > 1) {
    return "it serves one connection at a time, and this point has more";
  }
  if (can.one_client_per_worker && settings.workers > 0 && connections > settings.workers) {
    return fmt::format("each of its {} workers serves one client at a time, and this point has {}",
                       settings.workers, connections);
  }
  if (can.max_connections && connections > *can.max_connections) {
    return fmt::format("it serves at most {} connections, and this point has {}",
                       *can.max_connections, connections);
  }
  if (const std::uint64_t needed = connections + kSpareDescriptors; needed > limits.descriptors) {
    return fmt::format(
        "{} connections need {} descriptors in one process and the limit is {}; "
        "raise it with ulimit -n {}",
        connections, needed, limits.descriptors, needed);
  }
  const Nanoseconds overhead = trial_overhead(model, settings);
  if (limits.trial_overhead && overhead > *limits.trial_overhead) {
    return fmt::format(
        "opening and closing its {} connections may take {}, too long for the profile's time; "
        "--profile full measures it",
        connections, format_duration(overhead));
  }
  return {};
}

std::vector<Cell> make_cells(const std::vector<Model>& models,
                             const std::vector<Experiment>& experiments, const CellLimits& limits) {
  std::vector<Cell> cells;
  for (std::size_t e = 0; e < experiments.size(); ++e) {
    const Experiment& experiment = experiments[e];
    for (const Point& point : points_of(experiment)) {
      for (std::size_t m = 0; m < models.size(); ++m) {
        if (!matches_any(models[m].name, experiment.models)) continue;
        const LoadSettings settings = at_point(experiment.load, point);
        cells.push_back({.id = cell_id(models[m].name, experiment, point),
                         .model = m,
                         .experiment = e,
                         .point = point,
                         .settings = for_model(models[m], settings),
                         .method = method_of(models[m], experiment, limits),
                         .skipped = why_skipped(models[m], experiment, settings, limits)});
      }
    }
  }
  return cells;
}

}  // namespace muxbench
