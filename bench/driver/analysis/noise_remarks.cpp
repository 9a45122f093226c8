#include "analysis/noise_remarks.h"

#include <map>

namespace muxbench {
namespace {

struct Tally {
  int inside = 0;
  int differences = 0;
};

}  // namespace

void note_noise_floor(Comparison& comparison, const MeasuredReport& report) {
  std::map<std::pair<std::string, std::string>, Tally> tallies;  // by experiment and metric
  for (CellComparison& cell : comparison.cells) {
    if (cell.verdict != Verdict::faster && cell.verdict != Verdict::slower) continue;
    Tally& tally = tallies[{cell.experiment, cell.metric}];
    ++tally.differences;
    if (!report.noise_floor.holds(cell.experiment, cell.metric, cell.ratio->ratio)) continue;
    ++tally.inside;
    cell.inside_noise_floor_of.push_back(report.file);
    cell.reason =
        fmt::format("inside the noise floor of {}", fmt::join(cell.inside_noise_floor_of, " and "));
  }
  for (const auto& [place, tally] : tallies) {
    if (tally.inside == 0) continue;
    const auto& [experiment, metric] = place;
    comparison.remarks.push_back(fmt::format(
        "experiment {}: {} of {} differences in {} inside the noise floor of {}: the same server "
        "under two names differed by {:.1f} % there",
        experiment, tally.inside, tally.differences, metric, report.file,
        (report.noise_floor.of(experiment, metric) - 1) * 100));
  }
}

}  // namespace muxbench
