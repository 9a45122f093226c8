// What a run shows on the terminal: Google Benchmark's table, or with --quiet nothing but warnings;
// and what went wrong, which decides the exit status.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace muxbench {

class Display : public benchmark::ConsoleReporter {
 public:
  explicit Display(bool quiet) : ConsoleReporter(OO_Tabular), quiet_(quiet) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

  // "name: message" of each benchmark that failed; those left out (kSkipped) are none.
  const std::vector<std::string>& failures() const noexcept { return failures_; }
  std::size_t timed() const noexcept { return timed_; }

 private:
  bool quiet_;
  std::size_t timed_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace muxbench
