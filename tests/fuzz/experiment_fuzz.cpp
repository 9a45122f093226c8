// Experiment files: any text is refused in one sentence that names the file, or is an experiment
// that every profile can plan.
#include <string>

#include "input.h"
#include "json/json_reader.h"
#include "plan/experiment_file.h"
#include "plan/profile.h"

namespace muxbench {
namespace {

using fuzz::expect;

constexpr const char* kFile = "made.json";

void expect_plannable(Experiment experiment) {
  expect(experiment.duration.count() > 0 && experiment.repetitions >= 1, "something to measure");
  expect(!experiment.sweep.empty(), "a sweep");
  std::string note;
  experiment = for_cpus(std::move(experiment), 2, note);
  const auto points = points_of(experiment);
  expect(!points.empty(), "points");
  for (const Point& point : points) {
    expect(!cell_id("model", experiment, point).empty(), "a name for each cell");
    const LoadSettings load = at_point(experiment.load, point);
    for (const Setting& setting : kSettings) {
      const std::uint64_t value = load.*setting.member;
      expect(value >= setting.least && value <= setting.most, "settings within their limits");
    }
    expect((experiment.mode == "open") == (load.rate > 0), "a rate in an open loop only");
  }
  for (const Sweep& sweep : thinned(experiment, 2).sweep) {
    expect(!sweep.values.empty() && sweep.values.size() <= 2, "two values at most");
  }
}

void try_input(std::string_view text) {
  const auto experiment = parse_experiment(text, kFile);
  if (!experiment) {
    const Error& error = experiment.error();
    expect(error.exit == Exit::usage, "the exit status of a usage error");
    expect(error.message.starts_with(kFile), "a sentence that begins with the file");
    expect(error.message.find('\n') == std::string::npos, "a sentence on one line");
    return;
  }
  expect(is_name(experiment->name), "a name");
  for (const Profile& profile : profiles()) {
    expect_plannable(with_profile(*experiment, profile.name));
  }
}

}  // namespace
}  // namespace muxbench

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muxbench::try_input(muxbench::fuzz::Input(data, size).text());
  return 0;
}
