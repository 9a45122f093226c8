#include "result/output_files.h"

#include <tuple>

#include "base/output.h"
#include "metrics/hgrm.h"
#include "result/result_json.h"
#include "result/result_tables.h"
#include "result/summary.h"

namespace muxbench::loadgen {

Result<OutputFiles> OutputFiles::open(const Options& options) {
  OutputFiles outputs;
  for (const auto& [file, name, option] :
       {std::tuple{&outputs.json_, options.json_on_stdout() ? std::string() : options.json,
                   "--json"},
        std::tuple{&outputs.hgrm_, options.hgrm, "--hgrm"},
        std::tuple{&outputs.csv_, options.csv, "--csv"}}) {
    Result<OutputFile> opened = OutputFile::open(name, option);
    if (!opened) return opened.error();
    *file = std::move(*opened);
  }
  return outputs;
}

Result<> OutputFiles::write(const std::vector<Step>& steps) const {
  if (json_) {
    if (auto written = json_.write(to_json(steps, false) + "\n"); !written) return written;
  }
  if (auto written = hgrm_.write(to_hgrm(steps.back().result.latency)); !written) return written;
  return csv_.write(to_csv(steps));
}

int OutputFiles::write_all(const Options& options, const std::vector<Step>& steps,
                           std::string_view program) const {
  if (options.json_on_stdout()) print("{}\n", to_json(steps, true));
  if (const Result<> written = write(steps); !written) return print_error(program, written.error());
  const RunResult& worst = worst_of(steps);
  if (const std::string why = why_failed(worst); options.quiet && !why.empty()) {
    return print_error(program, Error{.message = why});
  }
  return worst.exit_status();
}

}  // namespace muxbench::loadgen
