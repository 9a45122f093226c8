#include "plan/extra_trials.h"

#include "report/report.h"

#include <algorithm>
#include <map>

namespace muxbench {

using std::chrono::milliseconds;

std::vector<std::size_t> counted_cells(const std::vector<Cell>& cells, Counting counting) {
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> last;
  std::vector<std::size_t> counted;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].skipped || counting == Counting::none) continue;
    // The calls for those who never read would be counted as if they were for the others' requests.
    if (cells[i].settings.stall_never_read > 0) continue;
    if (counting == Counting::all_points) counted.push_back(i);
    last[{cells[i].experiment, cells[i].model}] = i;
  }
  if (counting == Counting::last_points) {
    for (const auto& [of, cell] : last) counted.push_back(cell);
  }
  return counted;
}

Experiment counting_version(Experiment experiment) {
  experiment.warmup = std::min<Nanoseconds>(experiment.warmup, milliseconds(100));
  experiment.duration = std::min<Nanoseconds>(experiment.duration, milliseconds(400));
  experiment.repetitions = 1;
  return experiment;
}

std::vector<std::size_t> twin_cells(const std::vector<Cell>& cells,
                                    const std::vector<Experiment>& experiments,
                                    const std::vector<Model>& models) {
  using Place = std::pair<std::size_t, Point>;  // the experiment and, in slices, the point
  std::map<Place, std::size_t> twins;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    if (cell.skipped) continue;
    const bool sliced = cell.method == Method::slices;
    const auto [twin, first] =
        twins.try_emplace(Place{cell.experiment, sliced ? cell.point : Point{}}, i);
    if (first) continue;
    const std::size_t chosen = cells[twin->second].model;
    const bool same_model = cell.model == chosen;
    const bool open = experiments[cell.experiment].mode == "open";
    if (same_model ? !open : models[cell.model].name == report::kReference) twin->second = i;
  }
  std::vector<std::size_t> in_order;
  for (const auto& [place, cell] : twins) in_order.push_back(cell);
  std::sort(in_order.begin(), in_order.end());
  return in_order;
}

}  // namespace muxbench
