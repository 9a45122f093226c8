// The load generator's program: reads the command line, runs the load, writes the result.

#include <algorithm>
#include <vector>

#include "base/output.h"
#include "engine/runner.h"
#include "options/parse_options.h"
#include "result/output_files.h"
#include "result/summary.h"

namespace muxbench::loadgen {
namespace {

// One run for each rate, until one cannot go on.
Result<std::vector<Step>> run_steps(const Options& asked) {
  std::vector<Step> steps;
  LocalCoordinator coordinator(asked.phases);
  const std::size_t count = std::max<std::size_t>(asked.rates.size(), 1);
  while (steps.size() < count) {
    Options options = asked;
    if (!asked.rates.empty()) options.rate = asked.rates[steps.size()];
    Result<RunResult> result = run(options, coordinator);
    if (!result) return result.error();
    if (!options.result_on_stdout() && !options.quiet) {
      print("{}{}", steps.empty() ? "" : "\n", summary(options, *result));
    }
    steps.push_back({std::move(options), std::move(*result)});
    const RunResult& last = steps.back().result;
    if (last.interrupted || !last.stop_reason.empty()) break;
  }
  return steps;
}

int main(int argc, char** argv) {
  const Result<CommandLine> line = parse_options(argc, argv);
  if (!line) return print_error("loadgen", line.error());
  if (line->text) {
    write_output(*line->text);
    return 0;
  }
  const Options& options = line->options;
  const Result<OutputFiles> outputs = OutputFiles::open(options);
  if (!outputs) return print_error("loadgen", outputs.error());
  const Result<std::vector<Step>> steps = run_steps(options);
  if (!steps) return print_error("loadgen", steps.error());
  return outputs->write_all(options, *steps, "loadgen");
}

}  // namespace
}  // namespace muxbench::loadgen

int main(int argc, char** argv) {
  return muxbench::finish("loadgen", muxbench::loadgen::main(argc, argv));
}
