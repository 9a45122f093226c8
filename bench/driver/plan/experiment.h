// An experiment file: the question, the load, what is swept, and how long and how often to measure.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plan/load_settings.h"
#include "report/metric.h"

namespace muxbench {

// In the sweep of `workers`: as many as the server has CPUs. A file says "cpus".
inline constexpr std::uint64_t kAllCpus = std::numeric_limits<std::uint64_t>::max();

struct Sweep {
  std::string key;
  std::vector<std::uint64_t> values;
};
std::string format_values(const Sweep& sweep);  // "1, 2, cpus"

struct Experiment {
  std::string name;
  std::string question;
  std::string protocol;                         // echo, greet or http
  std::string transport;                        // tcp or unix
  std::string mode = "closed";                  // of the load
  std::string metric = usual_metric("closed");  // what answers the question: a ComparedMetric
  LoadSettings load;
  std::vector<Sweep> sweep;  // several keys: every combination
  Nanoseconds warmup{};
  Nanoseconds duration{};
  unsigned repetitions = 1;
  std::string models = "*";  // globs, separated by commas
  unsigned order = 100;      // experiments run by this, then by name; a tight budget drops the last

  // What a profile changes: an object of the keys sweep, warmup, duration and repetitions, checked
  // when the file is read.
  std::map<std::string, Json> profiles;
};

inline constexpr unsigned kMostRepetitions = 1000;

Result<Experiment> parse_experiment(std::string_view text, const std::string& file);
// Every *.json of a folder, in the order in which they run.
Result<std::vector<Experiment>> load_experiments(const std::string& folder);

Experiment with_profile(Experiment experiment, const std::string& profile);

bool sweeps(const Experiment& experiment, std::string_view key);

// The sweep of `workers` for a server with so many CPUs (1 or more): without values above that,
// unless there are no others. What became of it is said in `note`.
Experiment for_cpus(Experiment experiment, std::uint64_t cpus, std::string& note);

std::vector<Point> points_of(const Experiment& experiment);
std::string cell_id(const std::string& model, const Experiment& experiment, const Point& point);

// At most `keep` (2 or more) of the values of each sweep, evenly spread, both ends always.
Experiment thinned(Experiment experiment, std::size_t keep);

}  // namespace muxbench
