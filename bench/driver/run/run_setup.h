// Everything that is decided before the first trial, so that bad input costs no time and leaves
// nothing behind.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/time_budget.h"
#include "plan/trial_order.h"
#include "run/record.h"
#include "system/veth_network.h"
#include "trial/server_process.h"

namespace muxbench {

struct RunOptions {
  std::string profile = "quick";
  std::string models = "*";
  std::optional<std::string> experiments;  // nothing: those that the profile runs
  std::optional<std::string> out;
  std::optional<std::uint64_t> seed;
  FixedAmounts fixed;
  std::optional<Method> method;  // of every experiment; nothing: what suits it
  CpuRequest cpus;
  LoadHostsRequest load_hosts;
  bool private_network = true;
  bool veth = false;  // between two private networks
  bool count_syscalls = true;
  std::optional<double> target_ci;    // go on until every cell's interval is this narrow (0.02)
  std::optional<Nanoseconds> budget;  // for all servers, instead of the profile's
  unsigned max_trials = 30;           // or until it has so many
  std::vector<std::string> external_servers;  // see driver/external_server.h
  std::uint64_t server_memory = 0;
  std::string servers_dir;
  std::string loadgen;
  std::string experiments_dir;
  bool micro = true;
  std::string micro_program;
  bool charts = true;
  std::string plots_dir;
  std::string results_dir;  // where the result goes without `out`, and where `latest` is
  bool quiet = false;
  bool dry_run = false;
  std::vector<std::string> command_line;
};

// What of a run was asked for: experiments with servers, the micro-benchmarks, or both.
struct RunParts {
  std::vector<Experiment> experiments;  // as the profile has them; none: no server is measured
  bool micro = false;
  std::vector<std::string> left_out;  // experiments that the profile runs only if they are named
};

struct RunSetup {
  RunRecord record;  // without trials yet
  Profile profile;
  std::vector<PlannedTrial> order;
  Nanoseconds estimate{};
  // What the profile's time took from the experiments, in one line; the notes of the record that say
  // the same at length.
  std::string reduced;
  std::set<std::string> reductions;
  std::optional<VethNetwork> veth;
  std::unique_ptr<SyscallCounter> counter;  // for the trials that count
};

// Also moves the process into its private network, unless
// this is a dry run.
Result<RunSetup> set_up_run(const RunOptions& options, const RunParts& parts);

std::string describe_plan(const RunSetup& setup, bool every_cell);

}  // namespace muxbench
