#include "run/validity.h"

#include <algorithm>

#include "report/statistics.h"

namespace muxbench {
namespace {

constexpr double kLoadBusyAbove = 0.95;    // of each load generator thread
constexpr double kServerIdleBelow = 0.90;  // of the CPUs that the server can use

using Trials = std::vector<const TrialResult*>;

void flag_errors(const Trials& trials, std::vector<Flag>& flags) {
  std::size_t failed = 0;
  const TrialResult* example = nullptr;
  for (const TrialResult* trial : trials) {
    if (trial->ok()) continue;
    ++failed;
    example = trial;
  }
  if (failed == 0) return;
  flags.push_back(
      {"errors", fmt::format("{} of {} trials failed: {}", failed, trials.size(), example->error)});
}

void flag_stops(const Trials& trials, std::vector<Flag>& flags) {
  const auto bad = std::find_if(trials.begin(), trials.end(),
                                [](const TrialResult* t) { return !t->stop_error.empty(); });
  if (bad != trials.end()) flags.push_back({"unclean_stop", (*bad)->stop_error});
}

std::optional<std::string> how_fewer(const LoadSettings& asked, const TrialResult& trial) {
  const auto active = trial.load.connections;
  const auto idle = trial.load.idle;
  if ((active && *active < static_cast<double>(asked.connections)) ||
      (idle && *idle < static_cast<double>(asked.idle))) {
    return fmt::format("{} active and {} idle connections were asked for, {} and {} held",
                       asked.connections, asked.idle, active.value_or(0), idle.value_or(0));
  }
  if (trial.not_accepted == 0) return {};
  return fmt::format("{} of {} connections were not accepted before the load began",
                     trial.not_accepted, asked.all_connections());
}

void flag_connections(const Cell& cell, const Trials& trials, std::vector<Flag>& flags) {
  for (const TrialResult* trial : trials) {
    if (!trial->ok()) continue;
    if (const auto how = how_fewer(cell.settings, *trial)) {
      flags.push_back({"fewer_connections", *how});
      return;
    }
  }
}

void flag_filling(const Cell& cell, const Trials& trials, std::vector<Flag>& flags) {
  if (cell.settings.stall_never_read == 0) return;
  const auto still = std::count_if(trials.begin(), trials.end(), [](const TrialResult* trial) {
    return trial->ok() && !trial->load.filling_ns;
  });
  if (still == 0) return;
  flags.push_back({"still_filling",
                   fmt::format("in {} of {} trials clients who never read could still send when "
                               "the load began: they were served, and not held up",
                               still, trials.size())});
}

void flag_rate(const Cell& cell, const Trials& trials, std::vector<Flag>& flags) {
  constexpr double kEnough = 0.95;
  if (cell.settings.rate == 0) return;
  std::vector<double> rates;
  for (const TrialResult* trial : trials) {
    const auto rate = trial->requests_per_second();
    if (trial->ok() && rate) rates.push_back(*rate);
  }
  if (rates.empty()) return;
  const double median = statistics_of(rates).median;
  const auto asked = static_cast<double>(cell.settings.rate);
  if (median >= kEnough * asked) return;
  flags.push_back({"rate_not_reached",
                   fmt::format("{:.0f} requests per second were due and {:.0f} answered: latencies "
                               "are those of an overload, and grow with the length of the window",
                               asked, median)});
}

double share_of_window(const TrialResult& trial, Nanoseconds time) {
  const auto window = trial.load.window_ns;
  return window && *window > 0 ? static_cast<double>(time.count()) / *window : 0;
}

// What the times of the load generator's threads are added up over.
double load_threads(const TrialResult& trial) {
  return std::max<double>(static_cast<double>(trial.load.thread_utilisation.size()), 1);
}

// `shares`: of each trial's window, how long this side was ready to run and had no CPU.
void flag_starved(const char* kind, const char* who, const std::vector<double>& shares,
                  std::vector<Flag>& flags) {
  constexpr double kMost = 0.05;
  if (shares.empty()) return;
  const double share = statistics_of(shares).median;
  if (share <= kMost) return;
  flags.push_back({kind, fmt::format("{} waited for its CPU for {:.0f} % of the window: "
                                     "other work ran there; stop it",
                                     who, share * 100)});
}

void flag_neighbours(const RunRecord& record, const Trials& trials, std::vector<Flag>& flags) {
  if (record.cpus.server == record.cpus.load) return;  // they take turns by intent
  std::vector<double> load;
  std::vector<double> server;
  for (const TrialResult* trial : trials) {
    if (!trial->ok()) continue;
    if (const auto waited = trial->load_waited) {
      load.push_back(share_of_window(*trial, *waited) / load_threads(*trial));
    }
    if (const auto waited = trial->server_waited) {
      server.push_back(share_of_window(*trial, *waited));
    }
  }
  flag_starved("starved_load", "the load generator", load, flags);
  flag_starved("starved_server", "the server", server, flags);
}

// A slice that a quota has hit counts as disturbed, so some of them spoil nothing.
bool is_throttled(const TrialResult& trial) {
  constexpr double kSlices = 0.1;
  const auto slices = static_cast<double>(trial.slices.size());
  return static_cast<double>(trial.throttled_periods) > (trial.sliced() ? kSlices * slices : 0);
}

void flag_quota(const Trials& trials, std::vector<Flag>& flags) {
  std::uint64_t periods = 0;
  std::size_t count = 0;
  for (const TrialResult* trial : trials) {
    if (!trial->ok() || !is_throttled(*trial)) continue;
    ++count;
    periods += trial->throttled_periods;
  }
  if (count == 0) return;
  flags.push_back(
      {"throttled", fmt::format("a CPU quota stopped server or load generator {} times in {} of {} "
                                "trials: raise it (`muxbench doctor` names it)",
                                periods, count, trials.size())});
}

// Little's law: what is in the system is rate times time in it. In a closed loop that is every
// connection's requests, all the time.
void flag_concurrency(const Cell& cell, const Trials& trials, std::vector<Flag>& flags) {
  constexpr double kEnough = 0.8;  // the rest is what the load generator itself needs
  if (cell.settings.rate > 0) return;
  const auto asked = static_cast<double>(cell.settings.connections * cell.settings.pipeline);
  std::vector<double> held;
  for (const TrialResult* trial : trials) {
    const auto rate = trial->requests_per_second();
    const auto latency = trial->load.latency_mean_ns;
    if (trial->ok() && rate && latency) held.push_back(*rate * *latency * 1e-9);
  }
  if (held.empty()) return;
  const double median = statistics_of(held).median;
  if (median >= kEnough * asked) return;
  flags.push_back(
      {"little_law",
       fmt::format("{:.1f} requests were in flight on average (rate times mean latency) "
                   "where {:.0f} were asked for: the load was not what the point says",
                   median, asked)});
}

// How many CPUs a server can keep busy: a single worker stops at one, however many are its own, and
// those that run a process or a thread for each connection never do.
std::size_t usable_cpus(const Model& model, const Cell& cell, std::size_t cpus) {
  const Capabilities& can = model.capabilities;
  std::size_t usable = cpus;
  if (can.workers && cell.settings.workers > 0) {
    usable = cell.settings.workers;
  } else if (can.workers) {
    usable = can.one_client_per_worker ? cpus : 1;  // what they start when nobody says how many
  } else if (model.family != "process" && model.family != "thread") {
    const bool kernel_thread = model.description.contains("/features/sq_thread_cpu"_json_pointer);
    usable = kernel_thread ? 2 : 1;
  }
  return std::clamp<std::size_t>(usable, 1, std::max<std::size_t>(cpus, 1));
}

std::optional<double> least_of(const std::vector<std::optional<double>>& threads) {
  std::optional<double> least;
  for (const auto& busy : threads) {
    if (busy) least = std::min(least.value_or(*busy), *busy);
  }
  return least;
}

// The share of the load generator's least busy thread: while one has time left, load is not short. Of
// many hosts that of the busiest one: its connections are short of load whatever the others do.
std::optional<double> load_busy(const TrialResult& trial) {
  if (trial.load.hosts.empty()) return least_of(trial.load.thread_utilisation);
  std::optional<double> most;
  for (const LoadHostResult& host : trial.load.hosts) {
    const auto busy = least_of(host.thread_utilisation);
    if (busy) most = std::max(most.value_or(*busy), *busy);
  }
  return most;
}

void flag_saturation(const RunRecord& record, const Cell& cell, const Trials& trials,
                     std::vector<Flag>& flags) {
  // One CPU for both: they take turns, and neither share says who waits for whom.
  if (record.cpus.server == record.cpus.load) return;
  std::vector<double> load;
  std::vector<double> server;
  const auto cpus = usable_cpus(record.models[cell.model], cell, record.cpus.server.size());
  for (const TrialResult* trial : trials) {
    if (!trial->ok() || !trial->cpu) continue;
    const auto busy = load_busy(*trial);
    const auto time = trial->time_of_cpu_ns();
    if (!busy || !time || *time <= 0) continue;
    load.push_back(*busy);
    server.push_back(static_cast<double>(trial->cpu->total.count()) / *time /
                     static_cast<double>(cpus));
  }
  if (load.empty()) return;
  const double load_share = statistics_of(load).median;
  const double server_share = statistics_of(server).median;
  if (load_share <= kLoadBusyAbove || server_share >= kServerIdleBelow) return;
  flags.push_back({"saturated_load",
                   fmt::format("the load generator was {:.0f} % busy while the server used {:.0f} "
                               "% of its CPU: the server could do more",
                               load_share * 100, server_share * 100)});
}

// What the load generators themselves said, once for each kind.
void flag_hosts(const Trials& trials, std::vector<Flag>& flags) {
  for (const TrialResult* trial : trials) {
    if (!trial->ok()) continue;
    for (const LoadHostFlag& flag : trial->load.host_flags) {
      const bool known = std::any_of(flags.begin(), flags.end(),
                                     [&](const Flag& one) { return one.kind == flag.kind; });
      if (!known) flags.push_back({flag.kind, flag.detail});
    }
  }
}

}  // namespace

std::vector<Flag> flags_of(const RunRecord& record, const Cell& cell, const Trials& trials) {
  std::vector<Flag> flags;
  flag_errors(trials, flags);
  flag_stops(trials, flags);
  flag_connections(cell, trials, flags);
  flag_filling(cell, trials, flags);
  flag_rate(cell, trials, flags);
  flag_concurrency(cell, trials, flags);
  flag_neighbours(record, trials, flags);
  flag_saturation(record, cell, trials, flags);
  flag_quota(trials, flags);
  flag_hosts(trials, flags);
  return flags;
}

}  // namespace muxbench
