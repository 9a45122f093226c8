// A report as `muxbench compare` needs it: its cells with the values of their trials, and what they
// were measured on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/noise_floor.h"
#include "analysis/paired_slices.h"
#include "base/result.h"
#include "report/report.h"

namespace muxbench {

struct MeasuredCell {
  std::string id;
  std::string model;
  std::string experiment;
  std::string point;   // "idle:8000/connections:100"
  std::string status;  // as in the report
  std::vector<Flag> flags;
  bool sliced = false;                          // measured in slices
  std::map<std::string, std::string> withheld;  // metrics that are not reported, and why
  std::size_t good_trials = 0;
  // In the order of repetitions. Of each metric that every good trial has: without the trial that
  // lacks one, often the slowest, the others would speak for more than they are.
  std::map<std::string, std::vector<double>> values;
};

struct MeasuredReport {
  std::string file;
  std::vector<MeasuredCell> cells;
  std::map<std::string, std::string> metrics;  // by experiment: what answers it
  // Whatever makes numbers incomparable, by a name for people: "kernel", "experiment idle: load".
  std::map<std::string, std::string> conditions;
  // What a difference may come from and be meant to: "server poll: sha256", "muxbench revision".
  std::map<std::string, std::string> identities;
  // What server_memory_bytes is in this report; versions differ in it. Empty where it has none.
  std::string memory_definition;
  PairedSlices slices;
  NoiseFloor noise_floor;
  std::string status;  // "complete" or why it is not
};

// Refuses, with a sentence and exit status 2, a report with a trial that cannot have been measured.
Result<MeasuredReport> measured_report(const report::Report& report);

}  // namespace muxbench
