// The results of many hosts: on the way from one to the other, and whether they agree.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"
#include "result/run_result.h"

namespace muxbench::loadgen {

// Everything but histograms, which are added up as they are, and `hosts`.
Json pack(const RunResult& result);
RunResult unpack(const Json& json);

// Of one host, to be compared with the others.
struct HostFigures {
  std::string name;
  double weight = 0;  // its part of the load: requests a second, or in a closed loop connections
  double requests = 0;
  double latency_mean_ns = 0;  // 0: unknown
  Nanoseconds window_skew{};
  Nanoseconds round_trip{};
};

// "host_share" and "host_latency": a host is far from the others. "window_skew": the windows lie apart
// by more than 1 % of `window`, or it is not known whether they do.
std::vector<HostFlag> judge_hosts(const std::vector<HostFigures>& hosts, Nanoseconds window);

}  // namespace muxbench::loadgen
