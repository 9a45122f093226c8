// All that a run knows and found: what the report and the findings are written from.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/interface.h"
#include "plan/cells.h"
#include "plan/cpu_plan.h"
#include "plan/load_hosts.h"
#include "plan/profile.h"
#include "system/build_info.h"
#include "system/host.h"
#include "trial/trial.h"

namespace muxbench {

struct RunRecord {
  bool interrupted = false;
  std::chrono::system_clock::time_point started;
  std::chrono::system_clock::time_point finished;
  std::optional<Nanoseconds> steal_time_before;  // since boot
  std::optional<Nanoseconds> steal_time;         // during the run
  std::uint64_t seed = 0;
  std::string profile;
  std::vector<std::string> command_line;
  std::vector<std::string> notes;

  BuildInfo build = build_info();
  std::string driver_sha256;      // of this program; empty: unknown
  Json host = Json::object();     // as host_section() has it
  Json context = Json::object();  // as envelope_context() has it
  CpuPlan cpus;
  std::string loadgen_sha256;  // empty: unknown
  bool private_network = false;
  bool veth = false;                 // the load comes from another private network
  LoadHosts load_hosts;              // none: the load came from this machine
  Nanoseconds launching{};           // the load there
  Json load_host_facts;              // as probe_load_hosts() has them
  std::optional<Interface> listens;  // with load hosts: what they reach this machine by
  std::vector<CountingBackend>
      backends;  // ways of counting system calls that were tried; the last one may count
  std::size_t planned_trials = 0;
  std::size_t planned_counting_trials = 0;

  std::vector<Model> models;
  std::vector<Experiment> experiments;  // as run
  std::vector<Cell> cells;
  std::vector<TrialResult> trials;           // in the order they ran
  std::vector<TrialResult> counting_trials;  // likewise, of the pass that counts system calls
  std::vector<TrialResult> twin_trials;      // likewise, of cells measured under a second name
  // Models whose server failed again and again: no more trials were spent on them, and why.
  std::map<std::size_t, std::string> given_up;
};

inline const char* network_of(const RunRecord& record) {
  if (record.veth) return "veth";
  return record.private_network ? "private" : "host";
}

}  // namespace muxbench
