// A report as a value: what reading one gives, what a run fills, and what everything that is said
// about measurements is computed from. results/schema.json describes the file. Parts that nothing
// here looks into are kept as they are in the file, in members called `json`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "json/json.h"
#include "report/answer.h"
#include "report/flag.h"
#include "report/metric.h"
#include "report/point.h"
#include "report/slices.h"
#include "report/statistics.h"

namespace muxbench::report {

// The model that others are compared with.
inline constexpr const char* kReference = "epoll_level";

// How a trial or a cell was measured: by one long load after another, or by slices of a round in
// which the models take turns.
inline constexpr const char* kTrials = "trials";
inline constexpr const char* kSlices = "slices";

// A round, if the method is "slices": its values are those of its slices together.
struct Trial {
  std::string cell;  // its id
  std::uint64_t repetition = 0;
  bool ok = false;
  MetricValues values;  // of one that is ok
  Json json;
  std::string method = kTrials;
  std::optional<Slices> slices;  // where the method is "slices"
};

// What the counting pass found of a cell.
struct Counts {
  double requests = 0;  // that the counts belong to
  double calls = 0;
  std::optional<double> context_switches;
  Json json;
};

// A cell's metric over that of the reference at the same point, with its 95 % interval.
struct Relative {
  double ratio = 1;
  double low = 1;
  double high = 1;
  std::size_t n = 0;  // blocks of the side that has fewer, or trials of each
};

// How many slices of a cell no other process disturbed.
struct Undisturbed {
  std::size_t slices = 0;
  std::size_t of = 0;
};

struct Cell {
  std::string id;
  std::string model;
  std::string experiment;
  Point point;
  std::string status;  // measured, skipped, failed or missing
  std::string reason;  // unless measured
  std::vector<Flag> flags;
  std::map<std::string, Statistics> summary;          // by the metric's key
  std::map<std::string, std::vector<double>> values;  // comparable ones of trials that are ok
  std::optional<Counts> counts;
  std::string method = kTrials;
  std::map<std::string, Relative> relative;     // by the metric's key
  std::map<std::string, std::string> withheld;  // metrics that are not reported, and why
  std::optional<Undisturbed> undisturbed;       // where the method is "slices"

  bool sliced() const { return method == kSlices; }
  bool measured() const { return status == "measured"; }
  const Statistics* metric(std::string_view key) const;
};

struct Experiment {
  std::string name;
  std::string question;
  std::string metric;              // what answers the question
  bool open_loop = false;          // the rate is given: throughput says nothing of a model
  std::vector<std::string> swept;  // all swept keys
  std::string parameter;           // the swept key, if there is exactly one
  std::vector<Cell> cells;         // in the order of the report
  Json json;

  std::vector<Point> points() const;  // that cells have, each once, in the order of the report
  // The cell of a model at a value of `parameter`.
  const Cell* at(const std::string& model, std::uint64_t value) const;
  std::vector<std::string> models() const;
  std::vector<std::uint64_t> values() const;  // of `parameter`, ascending
};

struct Model {
  std::string name;
  Json json;  // what --describe printed, and what the driver added
};

struct RunInfo {
  std::optional<std::string> profile;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> notes;
  std::string revision = "unknown";
  Json json;
};

struct PlanInfo {
  std::optional<std::uint64_t> trials;
  std::vector<int> server_cpus;
  std::vector<int> load_cpus;
  std::string network;
  Json json;
};

struct HostInfo {
  std::optional<std::string> cpu_model;
  std::string kernel;
  Json json;
};

struct Finding {
  std::string kind;
  std::string experiment;  // empty: about the run
  std::string metric;      // empty: about no one metric
  std::string text;
};

// A line through all trials of a sweep.
struct Fit {
  std::string experiment;
  std::string model;
  std::string metric;
  std::string parameter;
  double intercept = 0;
  double slope = 0;
  double low = 0;  // of the slope's 95 % confidence interval
  double high = 0;
  std::size_t trials = 0;
};

// From `value` of the parameter on the model is worse than `against`.
struct Crossover {
  std::string experiment;
  std::string model;
  std::string against;
  std::string metric;
  std::string parameter;
  std::uint64_t value = 0;
};

// One cell measured under two names: the ratio of the second to the first.
struct NoiseFloorEntry {
  std::string cell;
  std::string metric;
  std::size_t trials = 0;  // of each name
  double ratio = 1;
  double low = 0;
  double high = 0;
};

// The verdicts on each model against each other one at a point, as `muxbench compare --models` gives
// them for that metric.
struct VerdictTable {
  std::string experiment;
  Point point;
  std::string metric;
  std::vector<std::string> models;
  std::vector<std::string>
      matrix;  // a row for each model as the base, a letter for each as the new
};

// A speed of the host, told by what a request costs the reference.
struct HostLevel {
  double cpu_ns_per_request = 0;  // the median of its blocks
  std::size_t blocks = 0;
};

// A model's CPU per request over the reference's, while the host had one speed.
struct RelativeAtLevel {
  std::string model;
  std::size_t level = 0;  // its place in `levels`
  Relative relative;
};

// The speeds of the host while a point was measured in slices.
struct HostStates {
  std::string experiment;
  Point point;
  std::string reference;                  // a model
  std::size_t blocks = 0;                 // of the reference
  std::vector<HostLevel> levels;          // from the fastest, apart by 15 % or more
  std::vector<RelativeAtLevel> relative;  // where two levels or more have blocks enough
  // Models whose ratio differs between levels beyond doubt: "-10 % at 6.0 us, -24 % at 8.7 us".
  std::map<std::string, std::string> dependent;
};

// What analysis adds to what was measured.
struct Conclusions {
  std::vector<Finding> findings;
  std::vector<Fit> fits;
  std::vector<Crossover> crossovers;
  std::vector<NoiseFloorEntry> noise_floor;
  std::vector<VerdictTable> verdicts;
  std::vector<HostStates> host_states;
  Answer answer;  // without rows in a report of before schema version 1.3
};

struct Report {
  std::string file;    // what errors call it
  std::string status;  // "complete" or why it is not
  RunInfo run;
  PlanInfo plan;
  HostInfo host;
  std::vector<Model> models;
  std::vector<Experiment> experiments;
  std::vector<Trial> trials;  // in the order in which they ran
  std::vector<Trial> counting_trials;
  std::vector<Trial> twin_trials;
  std::vector<Cell> twins;                 // the cells under their second names
  Json counting = Json::array();           // the ways of counting system calls that were tried
  Json context;                            // Google Benchmark's
  std::optional<Conclusions> conclusions;  // none in a report of before schema version 1.1
};

// The id of a cell's twin, which is the same server under a second name:
// "epoll_level (again)/idle/idle:0/connections:100".
std::string twin_id(const std::string& cell);

// Sorts the values of the trials into the cells, without those that a cell withholds.
void add_values_to_cells(Report& report);

// "idle 8000": the swept part of a point, without what is the same at all of them.
std::string format_point(const Experiment& experiment, const Point& point);
// "idle 0, 100, 8000"
std::string format_points(const Experiment& experiment, const std::vector<Point>& points);

}  // namespace muxbench::report
