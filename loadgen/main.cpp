// The load generator's program: reads the command line, runs the load, writes the result.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/unique_fd.h"
#include "loadgen/options.h"
#include "loadgen/result_json.h"
#include "loadgen/runner.h"
#include "loadgen/summary.h"

namespace muxbench::loadgen {
namespace {

// Opened before the run, so that an hour's measurement is not lost to a mistyped folder; emptied
// only when there is something to write.
Result<UniqueFd> open_output(const Options& options) {
  if (options.json.empty() || options.json_on_stdout()) return UniqueFd();
  UniqueFd file(::open(options.json.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (file) return file;
  return fail("cannot write {}: {}; choose another file with --json", options.json,
              describe(last_errno()));
}

Result<> write_output(const Options& options, const UniqueFd& file, std::string_view text) {
  // A device or a pipe cannot be emptied, which does no harm.
  [[maybe_unused]] const int ignored = ::ftruncate(file.get(), 0);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail("cannot write {}: {}", options.json, describe(last_errno()));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// One run for each rate, until one cannot go on.
Result<std::vector<Step>> run_steps(const Options& asked) {
  std::vector<Step> steps;
  const std::size_t count = std::max<std::size_t>(asked.rates.size(), 1);
  while (steps.size() < count) {
    Options options = asked;
    if (!asked.rates.empty()) options.rate = asked.rates[steps.size()];
    Result<RunResult> result = run(options);
    if (!result) return result.error();
    if (!options.json_on_stdout() && !options.quiet) {
      fmt::print("{}{}", steps.empty() ? "" : "\n", summary(options, *result));
    }
    steps.push_back({std::move(options), std::move(*result)});
    const RunResult& last = steps.back().result;
    if (last.interrupted || !last.stop_reason.empty()) break;
  }
  return steps;
}

int main(int argc, char** argv) {
  const Result<CommandLine> line = parse_options(argc, argv);
  if (!line) return report("loadgen", line.error());
  if (line->text) {
    fmt::print("{}", *line->text);
    return 0;
  }
  const Options& options = line->options;
  const Result<UniqueFd> file = open_output(options);
  if (!file) return report("loadgen", file.error());
  const Result<std::vector<Step>> steps = run_steps(options);
  if (!steps) return report("loadgen", steps.error());

  if (options.json_on_stdout()) fmt::print("{}\n", to_json(*steps, true));
  if (*file) {
    const std::string json = to_json(*steps, false) + "\n";
    if (const Result<> written = write_output(options, *file, json); !written) {
      return report("loadgen", written.error());
    }
  }
  return worst_of(*steps).exit_status();
}

}  // namespace
}  // namespace muxbench::loadgen

int main(int argc, char** argv) { return muxbench::loadgen::main(argc, argv); }
