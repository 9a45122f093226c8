#include "analysis/paired.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "report/statistics.h"

namespace muxbench {
namespace {

constexpr double kTrimmed = 0.2;             // of the differences at each end
constexpr std::size_t kFewestInRound = 3;    // blocks: fewer have no variance worth the name
constexpr double kInstanceDeviation = 5e-3;  // of two instances of one program
constexpr std::size_t kInstances = 4;        // how many cells that constant counts for
constexpr double kPooledFreedom = 10;  // how many degrees of freedom the pooled variance counts for

// The trimmed mean of a round's differences.
struct RoundMean {
  double mean = 0;
  double variance = 0;
  double freedom = 0;
};

// The same for values in the order turned round, and exactly negative for negative ones.
template <typename Value>
double symmetric_sum(std::size_t n, const Value& value) {
  double sum = 0;
  for (std::size_t i = 0; i < n / 2; ++i) sum += value(i) + value(n - 1 - i);
  return n % 2 == 1 ? sum + value(n / 2) : sum;
}

RoundMean round_mean(std::vector<double>& differences) {
  std::sort(differences.begin(), differences.end());
  const std::size_t n = differences.size();
  const auto cut = static_cast<std::size_t>(kTrimmed * static_cast<double>(n));
  const std::size_t kept = n - 2 * cut;
  const auto size = static_cast<double>(n);
  const auto kept_size = static_cast<double>(kept);
  const double mean =
      symmetric_sum(kept, [&](std::size_t i) { return differences[cut + i]; }) / kept_size;
  const auto winsorized = [&](std::size_t i) {
    return differences[std::clamp(i, cut, n - 1 - cut)];
  };
  const double center = symmetric_sum(n, winsorized) / size;
  const double squares = symmetric_sum(
      n, [&](std::size_t i) { return (winsorized(i) - center) * (winsorized(i) - center); });
  return {mean, squares / (kept_size * (kept_size - 1)), kept_size - 1};
}

struct Rounds {
  std::vector<RoundMean> means;
  std::size_t blocks = 0;

  double count() const { return static_cast<double>(means.size()); }
};

Rounds rounds_of(const SliceLogs& base, const SliceLogs& now) {
  Rounds rounds;
  std::vector<double> differences;
  std::uint64_t round = 0;
  const auto end_round = [&] {
    if (differences.size() >= kFewestInRound) {
      rounds.blocks += differences.size();
      rounds.means.push_back(round_mean(differences));
    }
    differences.clear();
  };
  auto b = base.begin();
  auto n = now.begin();
  while (b != base.end() && n != now.end()) {
    if (b->at < n->at) {
      ++b;
    } else if (n->at < b->at) {
      ++n;
    } else {
      if (b->at.round != round) end_round();
      round = b->at.round;
      differences.push_back(n->log - b->log);
      ++b;
      ++n;
    }
  }
  end_round();
  return rounds;
}

template <typename Value>
double mean_over(const Rounds& rounds, const Value& value) {
  double sum = 0;
  for (const RoundMean& round : rounds.means) sum += value(round);
  return sum / rounds.count();
}

double mean_of(const Rounds& rounds) {
  return mean_over(rounds, [](const RoundMean& round) { return round.mean; });
}

// The variance of the means beyond what the noise within rounds makes of it: below 0 by chance, as
// often as it takes for a mean of many to be right. 0 for a single round.
double excess(const Rounds& rounds) {
  if (rounds.means.size() < 2) return 0;
  const double center = mean_of(rounds);
  const double noise = mean_over(rounds, [](const RoundMean& round) { return round.variance; });
  const double spread = mean_over(rounds, [&](const RoundMean& round) {
    return (round.mean - center) * (round.mean - center);
  });
  return spread * rounds.count() / (rounds.count() - 1) - noise;
}

// The variance between instances of one cell, so that the median over many cells is right: of few
// rounds the sample variance lies below its mean more often than not.
double instance_variance_of(const Rounds& rounds) {
  const double noise = mean_over(rounds, [](const RoundMean& round) { return round.variance; });
  const double freedom = rounds.count() - 1;
  const double median = std::pow(1 - 2 / (9 * freedom), 3);  // of chi-squared over its freedom
  return (excess(rounds) + noise) / median - noise;
}

// What the host's speed did to each block: the median over cells of how far each was from its own
// median then.
SliceLogs host_effects(std::span<const SliceLogs* const> cells) {
  std::map<SliceKey, std::vector<double>> effects;
  for (const SliceLogs* cell : cells) {
    if (cell->empty()) continue;
    std::vector<double> logs;
    for (const SliceLog& slice : *cell) logs.push_back(slice.log);
    const double center = statistics_of(std::move(logs)).median;
    for (const SliceLog& slice : *cell) effects[slice.at].push_back(slice.log - center);
  }
  SliceLogs host;
  for (auto& [at, values] : effects) host.push_back({at, statistics_of(std::move(values)).median});
  return host;
}

LogEstimate within_rounds(const Rounds& rounds) {
  const double variance =
      mean_over(rounds, [](const RoundMean& round) { return round.variance; }) / rounds.count();
  const double squares = mean_over(rounds, [](const RoundMean& round) {
    return round.variance * round.variance / round.freedom;
  });
  const double freedom =
      squares > 0 ? variance * variance * std::pow(rounds.count(), 3) / squares : 1;
  return {.mean = mean_of(rounds), .variance = variance, .freedom = freedom};
}

double between_freedom(const Rounds& rounds) { return rounds.count() - 1 + kPooledFreedom; }

// The pair's own variance, drawn towards that of all pairs.
LogEstimate between_rounds(const Rounds& rounds, double pooled) {
  const double freedom = between_freedom(rounds);
  const double variance =
      ((rounds.count() - 1) * excess(rounds) + kPooledFreedom * pooled) / freedom;
  return {.mean = 0, .variance = std::max(0.0, variance) / rounds.count(), .freedom = freedom};
}

}  // namespace

double instance_variance(std::span<const SliceLogs* const> cells) {
  const SliceLogs host = host_effects(cells);
  std::vector<double> variances(kInstances, kInstanceDeviation * kInstanceDeviation);
  for (const SliceLogs* cell : cells) {
    const Rounds rounds = rounds_of(host, *cell);
    if (rounds.means.size() >= 2) variances.push_back(instance_variance_of(rounds));
  }
  return 2 * std::max(0.0, statistics_of(std::move(variances)).median);
}

std::optional<PairedRatio> paired_ratio(const SliceLogs& base, const SliceLogs& now,
                                        double instance_variance) {
  const Rounds rounds = rounds_of(base, now);
  if (rounds.means.empty()) return {};
  // Two independent parts, from within rounds and from between instances.
  LogEstimate log = difference(within_rounds(rounds), between_rounds(rounds, instance_variance));
  log.freedom = std::min(log.freedom, between_freedom(rounds));
  return PairedRatio{.log = log, .blocks = rounds.blocks};
}

}  // namespace muxbench
