#include "analysis/host_states.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace muxbench {
namespace {

constexpr double kApart = 0.15;            // from one level to the next
constexpr std::size_t kFewestOfLevel = 3;  // slices; the running median lets no shorter one through
constexpr std::size_t kReach = 2;          // of the running median, on each side

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The running median within each round: between two rounds lies time of other points.
std::vector<double> smoothed(const SliceLogs& costs) {
  std::vector<double> smooth;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    std::vector<double> near;
    for (std::size_t j = i < kReach ? 0 : i - kReach; j < std::min(costs.size(), i + kReach + 1);
         ++j) {
      if (costs[j].at.round == costs[i].at.round) near.push_back(costs[j].log);
    }
    smooth.push_back(median_of(std::move(near)));
  }
  return smooth;
}

// A range of the sorted costs.
struct Level {
  std::size_t begin;
  std::size_t end;
  double center;

  std::size_t size() const { return end - begin; }
};

Level level_of(const std::vector<double>& sorted, std::size_t begin, std::size_t end) {
  return {begin, end, sorted[begin + (end - begin) / 2]};
}

void merge_with_next(std::vector<Level>& levels, std::size_t i, const std::vector<double>& sorted) {
  levels[i] = level_of(sorted, levels[i].begin, levels[i + 1].end);
  levels.erase(levels.begin() + static_cast<std::ptrdiff_t>(i) + 1);
}

// The level that is nearest to the next one.
std::size_t nearest_to_next(const std::vector<Level>& levels) {
  std::size_t nearest = 0;
  const auto gap = [&](std::size_t i) { return levels[i + 1].center - levels[i].center; };
  for (std::size_t i = 1; i + 1 < levels.size(); ++i) {
    if (gap(i) < gap(nearest)) nearest = i;
  }
  return nearest;
}

// Single costs grow together as long as two neighbours are too near.
std::vector<Level> levels_of(const std::vector<double>& sorted) {
  std::vector<Level> levels;
  for (std::size_t i = 0; i < sorted.size(); ++i) levels.push_back(level_of(sorted, i, i + 1));
  while (levels.size() > 1) {
    const std::size_t i = nearest_to_next(levels);
    if (levels[i + 1].center - levels[i].center >= std::log1p(kApart)) break;
    merge_with_next(levels, i, sorted);
  }
  return levels;
}

// One with too few slices joins the neighbour that is nearer.
void join_small(std::vector<Level>& levels, const std::vector<double>& sorted) {
  std::size_t i = 0;
  while (levels.size() > 1 && i < levels.size()) {
    if (levels[i].size() >= kFewestOfLevel) {
      ++i;
      continue;
    }
    const bool last = i + 1 == levels.size();
    const bool down = last || (i > 0 && levels[i].center - levels[i - 1].center <
                                            levels[i + 1].center - levels[i].center);
    merge_with_next(levels, down ? i - 1 : i, sorted);
    i = 0;
  }
}

}  // namespace

std::vector<HostSpeed> host_speeds(const SliceLogs& costs) {
  const std::vector<double> smooth = smoothed(costs);
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return smooth[a] < smooth[b]; });
  std::vector<double> sorted;
  for (const std::size_t i : order) sorted.push_back(smooth[i]);
  std::vector<Level> levels = levels_of(sorted);
  join_small(levels, sorted);
  std::vector<HostSpeed> speeds;
  for (const Level& level : levels) {
    HostSpeed& speed = speeds.emplace_back(HostSpeed{.log_cost = level.center, .slices = {}});
    for (std::size_t i = level.begin; i < level.end; ++i) {
      speed.slices.push_back(costs[order[i]].at);
    }
    std::sort(speed.slices.begin(), speed.slices.end());
  }
  return speeds;
}

}  // namespace muxbench
