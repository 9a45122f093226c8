// The metrics of a report: the one table of their names, units, directions and places. Everything
// else that lists metrics (summaries, comparisons, findings, exports, charts) is derived from it. A
// report carries the table, so that readers in other languages need none of their own.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "json/json.h"

namespace muxbench {

enum class Unit { per_second, nanoseconds, bytes };
std::string_view to_string(Unit unit);  // "1/s", "ns" or "bytes"

struct Metric {
  std::string_view key;          // in summaries and on the command line
  std::string_view title;        // "p99 latency"
  std::string_view best;         // "Lowest p99": how a finding begins that names the best
  std::string_view worse;        // "Higher p99": how one begins that names those who are worse
  std::string_view description;  // a sentence
  Unit unit;
  bool more_is_better;
  std::string_view path;  // JSON pointer into a trial of a report
  bool compared;          // models and reports are compared by it
};

std::span<const Metric> metrics();
const Metric* find_metric(std::string_view key);  // nothing if there is none
const Metric& metric_of(std::string_view key);    // one that is known to exist
const Metric* find_compared_metric(std::string_view key);
std::string compared_metric_names();  // "requests_per_second, latency_mean_ns"

// "191.2 k/s", "12.3 us" or "3.1 MiB", by the metric's unit.
std::string format_value(const Metric& metric, double value);

// What a trial was measured by, by the metric's key: the numbers at the metrics' paths. One that the
// trial lacks is left out.
using MetricValues = std::map<std::string, double, std::less<>>;
MetricValues metric_values(const Json& trial);
// Those that can be compared. Far beyond the knee an open loop sees no answer within its window;
// that is a measurement, but no ratio can be made of it, so a throughput of 0 is left out.
MetricValues comparable_values(const MetricValues& values);

// What answers an experiment that names no metric: p99 where the load generator sets the rate
// ("open"), so that throughput is not the model's, and throughput otherwise.
std::string usual_metric(std::string_view mode);

// The table as a report has it.
Json metric_table();

}  // namespace muxbench
