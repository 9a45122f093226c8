#include "display.h"

#include <fmt/format.h>

#include <iostream>
#include <sstream>

#include "run_state.h"

namespace muxbench {

bool Display::ReportContext(const Context& context) {
  // Google Benchmark warns where its own library was built without NDEBUG, as Debian's is. That says
  // nothing about our code, so it is told in a sentence that says what it means here. What it says
  // of the machine (frequency scaling, address randomisation) is passed on.
  std::ostringstream said;
  SetErrorStream(&said);
  std::ostringstream unused;
  std::ostream& out = GetOutputStream();
  if (quiet_) SetOutputStream(&unused);
  const bool go_on = ConsoleReporter::ReportContext(context);
  SetOutputStream(&out);
  SetErrorStream(&std::cerr);
  std::istringstream lines(said.str());
  for (std::string line; std::getline(lines, line);) {
    if (line.find("Library was built as DEBUG") != std::string::npos) {
      if (!quiet_) {
        std::cerr
            << "The Google Benchmark library here is a debug build (Debian's is); none of its "
               "code runs inside a timed region, see docs/micro-benchmarks.md.\n";
      }
    } else if (!quiet_ || line.find("***WARNING***") != std::string::npos) {
      std::cerr << line << '\n';
    }
  }
#ifndef __OPTIMIZE__
  std::cerr << "***WARNING*** muxbench itself was built without optimisation: these are not the "
               "times of what is measured; use the preset release.\n";
#endif
  return go_on;
}

void Display::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (!run.error_occurred) {
      timed_ += run.run_type == Run::RT_Iteration ? 1 : 0;
    } else if (!run.error_message.starts_with(kSkipped)) {
      failures_.push_back(fmt::format("{}: {}", run.benchmark_name(), run.error_message));
    }
  }
  if (!quiet_) ConsoleReporter::ReportRuns(runs);
}

}  // namespace muxbench
