// Profiles: how long a run may take, and what it does with the time. What a promise has beyond the
// limit of the trials is for the micro-benchmarks and for drawing.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plan/experiment.h"

namespace muxbench {

// Which cells have their system calls counted: all, or of each model and experiment the last one
// that runs.
enum class Counting { none, last_points, all_points };

// What the micro-benchmarks get of a run's time (bench/micro); nothing: as they choose themselves.
struct MicroAmounts {
  std::chrono::seconds budget{};
  std::optional<unsigned> repetitions;
  std::optional<unsigned> largest;                 // descriptors watched
  std::optional<std::chrono::milliseconds> slice;  // for a repetition of a benchmark
};

struct Profile {
  std::string name;
  std::optional<Nanoseconds> limit;  // of the whole run, kept by stopping early if need be
  bool limit_is_asked_for = false;   // by --budget: it holds whatever else is asked for
  Nanoseconds target{};              // what the plan may come to: below the limit, for surprises
  Nanoseconds longest{};             // of one measurement
  Nanoseconds comfortable{};         // measurements are cut to this before repetitions are
  Nanoseconds shortest{};            // and to this before sweeps are
  std::optional<Nanoseconds> longest_overhead;  // a cell with more of it is skipped
  Counting counting = Counting::last_points;
  unsigned most_repetitions = kMostRepetitions;
  unsigned least_repetitions = 1;
  unsigned required_repetitions = 1;  // fewer are an error, not a reduction
  MicroAmounts micro;
};

// The table: smoke, quick and full.
const std::vector<Profile>& profiles();
Result<Profile> find_profile(const std::string& name);

}  // namespace muxbench
