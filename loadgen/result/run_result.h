// The outcome of a run. docs/loadgen.md ("What counts as an error") defines its counts:
//   requests         of the window, each answered in time, every byte right
//   failed_requests  of the window, each counted once: a wrong answer, none in time, or the
//                    connection was lost before it came or could not be opened
//   errors           what was found from the first connection to the last, by kind (errors.h). A
//                    failed request has at least one. Several may fail by one, such as a pipeline
//                    whose connection is lost. Some fail none: those outside of the window, those of
//                    connections besides the active ones, bytes while nothing is asked for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/errors.h"
#include "metrics/histogram.h"
#include "metrics/usage.h"
#include "options/options.h"
#include "result/series.h"

namespace muxbench::loadgen {

struct ThreadUsage {
  int cpu = 0;
  CpuTime cpu_time;
  Nanoseconds wall{};
  Nanoseconds spun{};  // polled in vain, near the time of a request
};

// The share of its CPU that a thread needs; polling in vain is no need. 0 without a window.
double utilisation(const ThreadUsage& usage);
// It may have been the limit of what was measured.
bool saturated(const ThreadUsage& usage);

// Of a load that many hosts made together: what each of them found, and how well they agree.
struct HostResult {
  std::string name;
  std::string json;            // its own result, as it would have printed it
  Nanoseconds clock_offset{};  // of its clock to that of the first host
  Nanoseconds round_trip{};   // of the messages that this was found by; it is known to half of that
  Nanoseconds window_skew{};  // its window lay so far from that of the first host
};
struct HostFlag {
  std::string kind;
  std::string detail;
};
struct HostResults {
  std::vector<HostResult> hosts;
  std::vector<HostFlag> flags;
};

struct RunResult {
  bool interrupted = false;
  bool sliced = false;      // its windows last milliseconds, and may hold none of the answers
  std::string stop_reason;  // the run could not go on: why, and the remedy
  Nanoseconds duration{};   // of the measured window; 0: it never began
  std::uint32_t connections = 0;
  std::uint32_t idle = 0;
  std::uint32_t stalled = 0;
  std::uint32_t stalled_closed = 0;    // of them, those that the server has thrown out
  std::optional<Nanoseconds> filling;  // until all who never read were held up; none: they were not
  Nanoseconds opening{};               // how long it took until all were open
  std::uint64_t requests = 0;          // that succeeded
  std::uint64_t requests_in_window = 0;
  std::uint64_t requests_in_run = 0;  // with those of the warm-up and those in flight at the end
  std::uint64_t failed_requests = 0;
  std::uint64_t reconnects = 0;  // in place of connections that the server ended in good order
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  ErrorLog errors;
  Histogram latency;
  Histogram connect;
  Histogram first_byte;
  Histogram schedule_lag;
  Histogram own_lag;
  Series series;
  std::vector<std::uint32_t> requests_per_connection;
  std::vector<ThreadUsage> threads;
  std::uint64_t peak_memory_bytes = 0;
  std::optional<HostResults> hosts;  // of many hosts

  std::string_view status() const;  // "ok", "overloaded", "failed" or "interrupted"
  int exit_status() const;
  double requests_per_second() const;  // 0 without a window
};

inline constexpr std::array kHistograms{&RunResult::latency, &RunResult::connect,
                                        &RunResult::first_byte, &RunResult::schedule_lag,
                                        &RunResult::own_lag};

// Adds what another thread or host found; `peer` names the host, and stands before its first errors.
void merge(RunResult& all, const RunResult& other, std::string_view peer = {});

// 0 without time.
double per_second(std::uint64_t requests, Nanoseconds elapsed);

struct Fairness {
  double jain = 0;  // 1: all connections served alike; 1/n: one of n served alone
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};

// Nothing when no connection was served.
std::optional<Fairness> fairness_of(const std::vector<std::uint32_t>& requests);

// One of several runs with the same options but for the rate.
struct Step {
  Options options;
  RunResult result;
};

// The one whose exit status is that of all; there must be one.
const RunResult& worst_of(const std::vector<Step>& steps);

}  // namespace muxbench::loadgen
