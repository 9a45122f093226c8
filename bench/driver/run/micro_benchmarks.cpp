#include "run/micro_benchmarks.h"

#include <unistd.h>

#include <fmt/format.h>

namespace muxbench {

std::string describe(const MicroAmounts& amounts) {
  return fmt::format("Micro-benchmarks: {} seconds at most, on one CPU", amounts.budget.count());
}

EndedProgram run_micro_benchmarks(const std::string& program, const MicroAmounts& amounts,
                                  const std::string& file) {
  std::vector<std::string> command{program, "--quiet", "--budget",
                                   std::to_string(amounts.budget.count())};
  const auto add = [&](const char* option, const std::string& value) {
    command.insert(command.end(), {option, value});
  };
  if (amounts.repetitions) add("--repetitions", std::to_string(*amounts.repetitions));
  if (amounts.largest) add("--largest", std::to_string(*amounts.largest));
  if (amounts.slice) add("--slice", std::to_string(amounts.slice->count()));
  add("--out", file);
  EndedProgram ended = run_programs({command}).front();
  ::unlink((file + ".part").c_str());  // of one that was killed
  return ended;
}

}  // namespace muxbench
