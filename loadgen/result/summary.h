// What people read: the summary of a run on standard output, its progress on standard error.
#pragma once

#include <string>

#include "options/options.h"
#include "result/run_result.h"

namespace muxbench::loadgen {

std::string summary(const Options& options, const RunResult& result);
// A sentence for those who get no summary; empty when nothing failed.
std::string why_failed(const RunResult& result);

// A line that overwrites itself. Does nothing when standard error is no terminal.
class Progress {
 public:
  explicit Progress(const Options& options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void show(std::string_view phase, Nanoseconds elapsed, std::uint64_t requests,
            std::uint64_t errors);

 private:
  bool enabled_;
  bool shown_ = false;
  Clock::time_point next_{};
  Nanoseconds last_elapsed_{};
  std::uint64_t last_requests_ = 0;
};

}  // namespace muxbench::loadgen
