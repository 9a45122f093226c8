// What the load generator found, read once from the JSON that it printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/json.h"

namespace muxbench {

struct LoadError {
  std::string kind;  // "missing", "closed"
  double count = 0;
  std::string first;  // the first of them, described; may be empty
};

// Of a load that came from many hosts.
struct LoadHostResult {
  std::string name;
  std::vector<std::optional<double>> thread_utilisation;
};
struct LoadHostFlag {
  std::string kind;
  std::string detail;
};

struct LoadResult {
  std::string status = "failed";  // ok, overloaded, failed or interrupted
  std::optional<double> requests_per_second;
  std::optional<double> window_ns;        // how long the measured window was
  std::optional<double> connections;      // active ones that were open
  std::optional<double> idle;             // likewise
  std::optional<double> requests;         // answered within the window
  std::optional<double> requests_in_run;  // all, from the first of the warm-up to the last
  std::optional<double> latency_mean_ns;
  // How long those who never read could still send; nothing if they still could at the end.
  std::optional<double> filling_ns;
  std::vector<std::optional<double>> thread_utilisation;  // of each thread, 1 is a whole CPU
  std::vector<LoadError> errors;
  std::string stop_reason;  // why it could not go on; may be empty
  std::vector<LoadHostResult> hosts;
  std::vector<LoadHostFlag> host_flags;
  Json document;  // all that it printed; null if that was nothing
};

// Nothing if `document` is no result.
std::optional<LoadResult> read_load_result(Json document);

// Why a result is not "ok": "the load generator saw errors: 3 closed (connection 17 ...)". Empty when
// it is ok.
std::string load_failure(const LoadResult& result);

// Whether connections ended without an announcement, as those of a server that dies do.
bool lost_connections(const LoadResult& result);

}  // namespace muxbench
