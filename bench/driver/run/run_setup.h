// Everything that is decided before the first trial, so that bad input costs no time and leaves
// nothing behind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/time_budget.h"
#include "plan/trial_order.h"
#include "run/record.h"

namespace muxbench {

struct RunOptions {
  std::string profile = "quick";
  std::string models = "*";
  std::string experiments = "*";
  std::optional<std::string> out;
  std::optional<std::uint64_t> seed;
  FixedAmounts fixed;
  CpuRequest cpus;
  bool private_network = true;
  bool count_syscalls = true;
  std::optional<double> target_ci;  // go on until every cell's interval is this narrow (0.02)
  unsigned max_trials = 30;         // or until it has so many
  std::vector<std::string> external_servers;  // see driver/external_server.h
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

struct RunSetup {
  RunRecord record;  // without trials yet
  Profile profile;
  std::vector<PlannedTrial> order;
  Nanoseconds estimate{};
  std::unique_ptr<SyscallCounter> counter;  // for the trials that count
};

// For these experiments, see choose_parts(). Also moves the process into its private network, unless
// this is a dry run.
Result<RunSetup> set_up_run(const RunOptions& options, std::vector<Experiment> experiments);

std::string describe_plan(const RunSetup& setup, bool every_cell);

}  // namespace muxbench
