// Where the result of a program goes: --json, --hgrm, --csv, standard output, and its exit status.
#pragma once

#include <string_view>
#include <vector>

#include "result/output_file.h"
#include "result/run_result.h"

namespace muxbench::loadgen {

class OutputFiles {
 public:
  // Before the run.
  static Result<OutputFiles> open(const Options& options);
  // Writes all that was asked for but the summary, and returns the exit status.
  int write_all(const Options& options, const std::vector<Step>& steps,
                std::string_view program) const;

 private:
  Result<> write(const std::vector<Step>& steps) const;

  OutputFile json_, hgrm_, csv_;
};

}  // namespace muxbench::loadgen
