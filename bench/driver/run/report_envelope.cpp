#include "run/report_envelope.h"

#include <ctime>

#include "run/summarize.h"

namespace muxbench {
namespace {

void put(Json& json, const char* key, const std::optional<double>& value) {
  if (value) json[key] = *value;
}

Json entry(const Cell& cell, std::size_t family, const char* run_type, std::size_t repetitions) {
  return {{"name", cell.id + "/real_time"},
          {"family_index", family},
          {"per_family_instance_index", 0},
          {"run_name", cell.id + "/real_time"},
          {"run_type", run_type},
          {"repetitions", repetitions},
          {"threads", 1}};
}

struct Counter {
  const char* key;     // in an entry
  const char* metric;  // in kMetrics
};
constexpr std::array kCounters{Counter{"real_time", "latency_mean_ns"},
                               Counter{"cpu_time", "server_cpu_ns_per_request"},
                               Counter{"items_per_second", "requests_per_second"},
                               Counter{"latency_p50_ns", "latency_p50_ns"},
                               Counter{"latency_p99_ns", "latency_p99_ns"},
                               Counter{"server_memory_bytes", "server_memory_bytes"}};

// Google Benchmark writes both times in every entry, and compare.py ends at the first one without. A
// trial with too few requests for its CPU time stands under muxbench only.
void add(Json& list, Json json) {
  if (json.contains("real_time") && json.contains("cpu_time")) list.push_back(std::move(json));
}

void add_trials(Json& list, const Cell& cell, std::size_t family,
                const std::vector<const TrialResult*>& trials) {
  std::size_t good = 0;
  for (const TrialResult* trial : trials) good += trial->ok() ? 1 : 0;
  for (const TrialResult* trial : trials) {
    if (!trial->ok()) continue;
    Json json = entry(cell, family, "iteration", good);
    json["repetition_index"] = trial->repetition;
    json["iterations"] =
        static_cast<std::uint64_t>(number_at(trial->load, "/requests").value_or(0));
    json["time_unit"] = "ns";
    for (const auto& [key, metric] : kCounters) put(json, key, find_metric(metric)->of(*trial));
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

void add_aggregates(Json& list, const Cell& cell, std::size_t family, const CellResult& result) {
  std::size_t n = 0;
  for (const auto& [name, statistics] : result.summary) n = std::max(n, statistics.n);
  for (const Aggregate& aggregate : kAggregates) {
    Json json = entry(cell, family, "aggregate", n);
    json["name"] = json["name"].get<std::string>() + "_" + aggregate.name;
    json["aggregate_name"] = aggregate.name;
    json["aggregate_unit"] = aggregate.unit;
    json["iterations"] = n;
    json["time_unit"] = "ns";
    for (const auto& [key, metric] : kCounters) {
      const auto found = result.summary.find(metric);
      if (found != result.summary.end()) json[key] = aggregate.of(found->second);
    }
    add(list, std::move(json));
  }
}

}  // namespace

Json envelope_benchmarks(const RunRecord& record) {
  Json list = Json::array();
  const auto by_cell = trials_by_cell(record);
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    if (record.results[i].status != "measured") continue;
    add_trials(list, record.cells[i], i, by_cell[i]);
    add_aggregates(list, record.cells[i], i, record.results[i]);
  }
  return list;
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

}  // namespace muxbench
