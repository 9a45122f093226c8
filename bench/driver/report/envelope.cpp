#include "report/envelope.h"

#include <algorithm>
#include <array>

namespace muxbench {
namespace {

using namespace report;

Json entry(const Cell& cell, std::size_t family, const char* run_type, std::size_t repetitions) {
  return {{"name", cell.id + "/real_time"},
          {"family_index", family},
          {"per_family_instance_index", 0},
          {"run_name", cell.id + "/real_time"},
          {"run_type", run_type},
          {"repetitions", repetitions},
          {"threads", 1}};
}

// What Google Benchmark calls them; the others keep their names.
struct Counter {
  const char* key;
  const char* metric;
};
constexpr std::array kCounters{Counter{"real_time", "latency_mean_ns"},
                               Counter{"cpu_time", "server_cpu_ns_per_request"},
                               Counter{"items_per_second", "requests_per_second"},
                               Counter{"latency_p50_ns", "latency_p50_ns"},
                               Counter{"latency_p99_ns", "latency_p99_ns"},
                               Counter{"server_memory_bytes", "server_memory_bytes"}};

// Google Benchmark writes both times in every entry, and compare.py ends at the first one without. A
// trial with too few requests for its CPU time, or of a cell that withholds a metric, stands under
// muxbench only.
void add(Json& list, Json json) {
  for (const char* key : {"real_time", "cpu_time", "items_per_second"}) {
    if (!json.contains(key)) return;
  }
  list.push_back(std::move(json));
}

void add_trials(Json& list, const Cell& cell, std::size_t family,
                const std::vector<const Trial*>& trials) {
  for (const Trial* trial : trials) {
    Json json = entry(cell, family, "iteration", trials.size());
    json["repetition_index"] = trial->repetition;
    json["iterations"] =
        static_cast<std::uint64_t>(number_at(trial->json, "/load/requests").value_or(0));
    json["time_unit"] = "ns";
    for (const auto& [key, metric] : kCounters) {
      const auto found = trial->values.find(metric);
      const bool reported = found != trial->values.end() && !cell.withheld.contains(metric);
      if (reported) json[key] = found->second;
    }
    add(list, std::move(json));
  }
}

struct Aggregate {
  const char* name;
  const char* unit;
  double (*of)(const Statistics&);
};
constexpr std::array kAggregates{
    Aggregate{"mean", "time", [](const Statistics& s) { return s.mean; }},
    Aggregate{"median", "time", [](const Statistics& s) { return s.median; }},
    Aggregate{"stddev", "time", [](const Statistics& s) { return s.stddev; }},
    Aggregate{"cv", "percentage", [](const Statistics& s) { return s.cv(); }}};

void add_aggregates(Json& list, const Cell& cell, std::size_t family) {
  std::size_t n = 0;
  for (const auto& [name, statistics] : cell.summary) n = std::max(n, statistics.n);
  for (const Aggregate& aggregate : kAggregates) {
    Json json = entry(cell, family, "aggregate", n);
    json["name"] = json["name"].get<std::string>() + "_" + aggregate.name;
    json["aggregate_name"] = aggregate.name;
    json["aggregate_unit"] = aggregate.unit;
    json["iterations"] = n;
    json["time_unit"] = "ns";
    for (const auto& [key, metric] : kCounters) {
      if (const Statistics* statistics = cell.metric(metric)) json[key] = aggregate.of(*statistics);
    }
    add(list, std::move(json));
  }
}

}  // namespace

Json envelope_benchmarks(const Report& report) {
  std::map<std::string, std::vector<const Trial*>> trials;
  for (const Trial& trial : report.trials) {
    if (trial.ok) trials[trial.cell].push_back(&trial);
  }
  Json list = Json::array();
  std::size_t family = 0;
  for (const Experiment& experiment : report.experiments) {
    for (const Cell& cell : experiment.cells) {
      if (cell.measured()) {
        add_trials(list, cell, family, trials[cell.id]);
        add_aggregates(list, cell, family);
      }
      ++family;
    }
  }
  return list;
}

}  // namespace muxbench
