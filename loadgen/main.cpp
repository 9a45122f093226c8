// The load generator's program: reads the command line, runs the load, writes the result.

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/output.h"
#include "loadgen/options.h"
#include "loadgen/output_file.h"
#include "loadgen/result_json.h"
#include "loadgen/result_tables.h"
#include "loadgen/runner.h"
#include "loadgen/summary.h"
#include "metrics/hgrm.h"

namespace muxbench::loadgen {
namespace {

struct Outputs {
  OutputFile json, hgrm, csv;
};

Result<Outputs> open_outputs(const Options& options) {
  Outputs outputs;
  for (const auto& [file, name, option] :
       {std::tuple{&outputs.json, options.json_on_stdout() ? std::string() : options.json,
                   "--json"},
        std::tuple{&outputs.hgrm, options.hgrm, "--hgrm"},
        std::tuple{&outputs.csv, options.csv, "--csv"}}) {
    Result<OutputFile> opened = OutputFile::open(name, option);
    if (!opened) return opened.error();
    *file = std::move(*opened);
  }
  return outputs;
}

Result<> write_outputs(const Outputs& outputs, const std::vector<Step>& steps) {
  if (outputs.json) {
    if (auto written = outputs.json.write(to_json(steps, false) + "\n"); !written) return written;
  }
  if (auto written = outputs.hgrm.write(to_hgrm(steps.back().result.latency)); !written) {
    return written;
  }
  return outputs.csv.write(to_csv(steps));
}

// One run for each rate, until one cannot go on.
Result<std::vector<Step>> run_steps(const Options& asked) {
  std::vector<Step> steps;
  CommandInput commands;
  const std::size_t count = std::max<std::size_t>(asked.rates.size(), 1);
  while (steps.size() < count) {
    Options options = asked;
    if (!asked.rates.empty()) options.rate = asked.rates[steps.size()];
    Result<RunResult> result = run(options, commands);
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
  const Result<Outputs> outputs = open_outputs(options);
  if (!outputs) return print_error("loadgen", outputs.error());
  const Result<std::vector<Step>> steps = run_steps(options);
  if (!steps) return print_error("loadgen", steps.error());

  if (options.json_on_stdout()) print("{}\n", to_json(*steps, true));
  if (const Result<> written = write_outputs(*outputs, *steps); !written) {
    return print_error("loadgen", written.error());
  }
  const RunResult& worst = worst_of(*steps);
  if (const std::string why = why_failed(worst); options.quiet && !why.empty()) {
    return print_error("loadgen", Error{.message = why});
  }
  return worst.exit_status();
}

}  // namespace
}  // namespace muxbench::loadgen

int main(int argc, char** argv) {
  return muxbench::finish("loadgen", muxbench::loadgen::main(argc, argv));
}
