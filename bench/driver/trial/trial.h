// One trial: a fresh server, verified, put under load, measured, verified again, and gone.
#pragma once

#include <optional>
#include <string>

#include "plan/cells.h"
#include "plan/load_hosts.h"
#include "plan/models.h"
#include "system/counting/syscall_counter.h"
#include "system/cpu_quota.h"
#include "trial/load_result.h"
#include "trial/slice.h"

namespace muxbench {

struct TrialSetup {
  const Model* model = nullptr;
  const Experiment* experiment = nullptr;
  const Cell* cell = nullptr;
  std::string loadgen;
  const LoadHosts* hosts = nullptr;  // where the load comes from; null: from this machine
  std::string listen = "127.0.0.1";  // the server's address, without its port
  int load_network = -1;             // the load generator's, if that is not the server's
  std::string scratch;               // a folder for this run's sockets and files
  std::vector<int> server_cpus;
  std::vector<int> load_cpus;
  Nanoseconds load_timeout{};
  const CpuQuotas* quotas = nullptr;
  std::uint64_t server_memory = 0;    // the limit of each of its processes; 0: none
  SyscallCounter* counter = nullptr;  // a counting trial: what it measures besides is not used
};

struct TrialResult {
  std::size_t cell = 0;
  unsigned repetition = 0;
  std::size_t order = 0;
  Nanoseconds started{};  // since the run began
  Nanoseconds took{};

  std::string error;           // empty: it succeeded
  bool server_failed = false;  // the error is the server's: it will most likely come again
  bool uncountable = false;    // the error is that this server cannot be counted: nothing failed
  std::string stop_error;      // it measured, and then did not stop as the contract says
  std::vector<std::string> server_command;
  std::vector<std::string> load_command;
  // By each worker, from the server's start to its end; only where one of them is slowed.
  std::vector<std::uint64_t> worker_requests;
  std::uint64_t not_accepted = 0;  // connections that the server left waiting when the load began
  std::optional<CpuSample> cpu;    // used by the server within the measured window
  std::optional<MemorySample> memory;
  std::optional<double> process_bytes_per_connection;  // at points of many connections
  std::optional<double> kernel_bytes_per_connection;   // of both ends, all processes
  // Interrupts and what follows them, within the window; where packets cross a device.
  std::optional<Nanoseconds> softirq;
  std::optional<Nanoseconds> load_waited;    // the load generator for a CPU, within the window
  std::optional<Nanoseconds> server_waited;  // the same of a server with one thread
  // In which a CPU quota stopped the programs, within the window or the slices.
  std::uint64_t throttled_periods = 0;
  // In a counting trial: of all the load's requests, from the first of the warm-up to the last.
  std::optional<SyscallCounts> counts;
  // Of a round: its slices, and what they add up to stands in `cpu` and `load`.
  std::vector<Slice> slices;
  SlicePlan slice_plan;
  LoadResult load;

  bool ok() const noexcept { return error.empty(); }
  bool sliced() const noexcept { return slice_plan.blocks > 0; }
  // What `cpu` was used for: the requests answered within the window, or in slices all of them. An
  // open loop's /requests were due in the window: with those answered later, in a time that `cpu`
  // does not hold.
  std::optional<double> requests_of_cpu() const;
  // How long: the window, or in slices from each command to its answer.
  std::optional<double> time_of_cpu_ns() const;
  std::optional<double> cpu_ns_per_request() const;
  std::optional<double> softirq_ns_per_request() const;
  std::optional<double> requests_per_second() const;
};

// Everything that goes wrong is in the result. Leaves no process behind.
TrialResult run_trial(const TrialSetup& setup);

// For all connections of a point.
Nanoseconds time_to_open(const LoadSettings& settings);

// Time enough for a load generator that works, however slow the server.
Nanoseconds load_timeout(const Experiment& experiment, const LoadSettings& settings);

}  // namespace muxbench
