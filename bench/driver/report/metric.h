// What models and reports can be compared by: the one table of names, places and directions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/json_reader.h"

namespace muxbench {

struct ComparedMetric {
  std::string name;   // in the report's summaries
  std::string place;  // in a trial of the report
  bool more_is_better;
};

const std::vector<ComparedMetric>& compared_metrics();
const ComparedMetric* find_compared_metric(std::string_view name);
std::string compared_metric_names();  // "requests_per_second, latency_mean_ns"

// What a trial of a report was measured by, by the metric's name; one that it lacks is left out, and
// so is a throughput of 0.
std::map<std::string, double> compared_values(const Json& trial);

// What answers an experiment whose file names no metric: p99 where the load generator sets the rate
// ("open"), so that throughput is not the model's, and throughput otherwise.
std::string usual_metric(std::string_view mode);

// What answers an experiment of a report: its `metric`, or the usual one in a report that has none
// yet, or one that is not known here.
std::string answering_metric(const Json& experiment);

}  // namespace muxbench
