// An experiment: the question, the load, what is swept, and how long and how often to measure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "plan/load_settings.h"
#include "plan/sweep.h"
#include "report/metric.h"

namespace muxbench {

// What a profile changes of an experiment.
struct ProfileChanges {
  bool only_if_named = false;  // on the command line; otherwise the profile leaves it out
  std::optional<std::vector<Sweep>> sweep;
  std::optional<Nanoseconds> warmup;
  std::optional<Nanoseconds> duration;
  std::optional<unsigned> repetitions;
};

// How cells are measured, see slices.h.
enum class Method { trials, slices };
inline const char* to_string(Method method) {
  return method == Method::slices ? "slices" : "trials";
}

struct Experiment {
  std::string name;
  std::string question;
  std::string protocol;                         // echo, greet or http
  std::string transport;                        // tcp or unix
  std::string mode = "closed";                  // of the load
  std::string metric = usual_metric("closed");  // what answers the question: one that is compared
  LoadSettings load;
  std::vector<Sweep> sweep;  // several keys: every combination
  Nanoseconds warmup{};
  Nanoseconds duration{};
  Nanoseconds launching{};       // of the load on other hosts, in each trial
  unsigned repetitions = 1;      // trials of each cell, or rounds
  std::optional<Method> method;  // nothing: the usual one, see usual_method()
  std::string models = "*";      // globs, separated by commas
  unsigned order = 100;  // experiments run by this, then by name; a tight budget drops the last

  std::map<std::string, ProfileChanges> profiles;  // by the profile's name

  bool is_only_if_named(const std::string& profile) const;
};

inline constexpr unsigned kMostRepetitions = 1000;
// Of all combinations of a sweep's values: far more than anybody measures, and few enough to list.
inline constexpr std::size_t kMostPoints = 10'000;

Experiment with_profile(Experiment experiment, const std::string& profile);
Experiment changed(Experiment experiment, const ProfileChanges& changes);

bool sweeps(const Experiment& experiment, std::string_view key);

// The sweep of `workers` for a server with so many CPUs (1 or more): without values above that,
// unless there are no others. What became of it is said in `note`.
Experiment for_cpus(Experiment experiment, std::uint64_t cpus, std::string& note);

std::vector<Point> points_of(const Experiment& experiment);
std::string cell_id(const std::string& model, const Experiment& experiment, const Point& point);

// At most `keep` (2 or more) of the values of each sweep, evenly spread, both ends always.
Experiment thinned(Experiment experiment, std::size_t keep);

}  // namespace muxbench
