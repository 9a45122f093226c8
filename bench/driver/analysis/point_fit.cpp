#include "analysis/point_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "report/statistics.h"

namespace muxbench {
namespace {

constexpr double kTrimmed = 0.3;             // of the values at each end
constexpr std::size_t kFewestInRound = 3;    // blocks: fewer have no variance worth the name
constexpr double kInstanceDeviation = 5e-3;  // of two instances of one program
constexpr std::size_t kInstances = 2;        // how many servers that constant counts for
// How many degrees of freedom the median over servers counts for, of the noise of a slice and of the
// variance between instances. The latter differ more from one server to another.
constexpr double kNoiseFreedom = 10;
constexpr double kInstanceFreedom = 4;
// Both sides of a ratio share what is known of usual servers, so their degrees of freedom do not add up:
// a ratio has these, and those of the rounds.
constexpr double kSharedFreedom = 8;
constexpr int kMostSteps = 50;
constexpr double kSettled = 1e-7;

std::size_t cut_of(std::size_t n) {
  return static_cast<std::size_t>(kTrimmed * static_cast<double>(n));
}

// Of values in any order, which are sorted.
double trimmed_mean(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const std::size_t cut = cut_of(values.size());
  double sum = 0;
  for (std::size_t i = cut; i < values.size() - cut; ++i) sum += values[i];
  return sum / static_cast<double>(values.size() - 2 * cut);
}

struct PlacedSlice {
  std::size_t server = 0;
  std::size_t block = 0;
  double log = 0;
};

// What a round says of a server.
struct RoundMean {
  double mean = 0;
  double noise = 0;    // variance of one slice, so that that of the mean is noise / blocks
  double freedom = 0;  // degrees, of the noise
  double blocks = 0;

  double variance() const { return noise / blocks; }
};

// `share` is how much of a slice's variance its distance from the block keeps, on average.
RoundMean round_mean(std::vector<double>& values, double share) {
  const double mean = trimmed_mean(values);
  const std::size_t n = values.size();
  const std::size_t cut = cut_of(n);
  const auto size = static_cast<double>(n);
  const auto kept = static_cast<double>(n - 2 * cut);
  double center = 0;
  for (std::size_t i = 0; i < n; ++i) center += values[std::clamp(i, cut, n - 1 - cut)] / size;
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double distance = values[std::clamp(i, cut, n - 1 - cut)] - center;
    squares += distance * distance;
  }
  return {mean, squares / (kept * (kept - 1)) * size / share, kept - 1, size};
}

using Rounds = std::vector<RoundMean>;

template <typename Value>
double mean_over(const Rounds& rounds, const Value& value) {
  double sum = 0;
  for (const RoundMean& round : rounds) sum += value(round);
  return sum / static_cast<double>(rounds.size());
}

double mean_of_means(const Rounds& rounds) {
  return mean_over(rounds, [](const RoundMean& round) { return round.mean; });
}

double freedom_of(const Rounds& rounds) {
  double sum = 0;
  for (const RoundMean& round : rounds) sum += round.freedom;
  return sum;
}

double noise_of(const Rounds& rounds) {
  double sum = 0;
  for (const RoundMean& round : rounds) sum += round.freedom * round.noise;
  return sum / freedom_of(rounds);
}

double mean_variance(const Rounds& rounds) {
  return mean_over(rounds, [](const RoundMean& round) { return round.variance(); });
}

// Of the means of rounds.
double spread(const Rounds& rounds) {
  const double center = mean_of_means(rounds);
  const double squares = mean_over(rounds, [&](const RoundMean& round) {
    return (round.mean - center) * (round.mean - center);
  });
  const auto count = static_cast<double>(rounds.size());
  return squares * count / (count - 1);
}

// Fits servers and blocks; all that is known of each server's rounds.
class Fit {
 public:
  explicit Fit(const std::vector<SliceLogs>& servers) : centers_(servers.size(), 0) {
    index(servers);
    for (int step = 0; step < kMostSteps; ++step) {
      fit_blocks();
      if (fit_servers() < kSettled) break;
    }
  }

  std::vector<Rounds> rounds() const {
    std::vector<Rounds> rounds(centers_.size());
    auto slice = slices_.begin();
    while (slice != slices_.end()) {
      const std::size_t server = slice->server;
      const std::uint64_t round = keys_[slice->block].round;
      std::vector<double> values;
      double share = 0;
      for (;
           slice != slices_.end() && slice->server == server && keys_[slice->block].round == round;
           ++slice) {
        values.push_back(slice->log - effects_[slice->block]);
        share += 1 - 1 / static_cast<double>(counts_[slice->block]);
      }
      if (values.size() < kFewestInRound) continue;
      share /= static_cast<double>(values.size());
      rounds[server].push_back(round_mean(values, share));
    }
    return rounds;
  }

 private:
  // A slice that no other was measured beside says nothing.
  void index(const std::vector<SliceLogs>& servers) {
    std::map<SliceKey, std::size_t> counts;
    for (const SliceLogs& logs : servers) {
      for (const SliceLog& slice : logs) ++counts[slice.at];
    }
    std::erase_if(counts, [](const auto& count) { return count.second < 2; });
    for (const auto& [key, count] : counts) {
      keys_.push_back(key);
      counts_.push_back(count);
    }
    effects_.assign(keys_.size(), 0);
    for (std::size_t server = 0; server < servers.size(); ++server) {
      std::vector<double> logs;
      for (const SliceLog& slice : servers[server]) {
        const auto found = std::lower_bound(keys_.begin(), keys_.end(), slice.at);
        if (found == keys_.end() || *found != slice.at) continue;
        const auto block = static_cast<std::size_t>(found - keys_.begin());
        slices_.push_back({server, block, slice.log});
        logs.push_back(slice.log);
      }
      if (!logs.empty()) centers_[server] = statistics_of(std::move(logs)).median;
    }
  }

  void fit_blocks() {
    std::vector<std::vector<double>> values(keys_.size());
    for (const PlacedSlice& slice : slices_) {
      values[slice.block].push_back(slice.log - centers_[slice.server]);
    }
    for (std::size_t block = 0; block < keys_.size(); ++block) {
      effects_[block] = trimmed_mean(values[block]);
    }
  }

  // By how much the most distant one moved.
  double fit_servers() {
    std::vector<std::vector<double>> values(centers_.size());
    for (const PlacedSlice& slice : slices_) {
      values[slice.server].push_back(slice.log - effects_[slice.block]);
    }
    double moved = 0;
    for (std::size_t server = 0; server < centers_.size(); ++server) {
      if (values[server].empty()) continue;
      const double center = trimmed_mean(values[server]);
      moved = std::max(moved, std::abs(center - std::exchange(centers_[server], center)));
    }
    return moved;
  }

  std::vector<SliceKey> keys_;       // of the blocks
  std::vector<std::size_t> counts_;  // by block: of its slices
  std::vector<double> effects_;      // by block
  std::vector<double> centers_;      // by server
  std::vector<PlacedSlice> slices_;  // by server, and by time
};

// What most servers of the point vary by.
struct Usual {
  double noise = 0;              // variance of one slice
  double between_instances = 0;  // variance
};

// A variance of a few rounds lies below its mean more often than not; this is right in the median.
double between_instances(const Rounds& rounds) {
  const double freedom = static_cast<double>(rounds.size()) - 1;
  const double median = std::pow(1 - 2 / (9 * freedom), 3);  // of chi-squared over its freedom
  return spread(rounds) / median - mean_variance(rounds);
}

Usual usual_of(const std::vector<Rounds>& servers) {
  std::vector<double> noises;
  std::vector<double> between(kInstances, kInstanceDeviation * kInstanceDeviation);
  for (const Rounds& rounds : servers) {
    if (rounds.empty()) continue;
    noises.push_back(noise_of(rounds));
    if (rounds.size() >= 2) between.push_back(between_instances(rounds));
  }
  if (noises.empty()) return {};
  return {statistics_of(std::move(noises)).median,
          std::max(0.0, statistics_of(std::move(between)).median)};
}

LogEstimate within_rounds(const Rounds& rounds, const Usual& usual) {
  const double own = freedom_of(rounds);
  const double freedom = own + kNoiseFreedom;
  const double noise = (own * noise_of(rounds) + kNoiseFreedom * usual.noise) / freedom;
  const double each = mean_over(rounds, [&](const RoundMean& one) { return noise / one.blocks; });
  return {mean_of_means(rounds), each / static_cast<double>(rounds.size()), freedom};
}

LogEstimate between_rounds(const Rounds& rounds, const Usual& usual) {
  const double own = static_cast<double>(rounds.size()) - 1;
  const double freedom = own + kInstanceFreedom;
  const double excess = own > 0 ? spread(rounds) - mean_variance(rounds) : 0;
  const double variance = (own * excess + kInstanceFreedom * usual.between_instances) / freedom;
  return {0, std::max(0.0, variance) / static_cast<double>(rounds.size()), freedom};
}

}  // namespace

PointFit::PointFit(std::vector<SliceLogs> servers) : servers_(std::move(servers)) {
  const std::vector<Rounds> rounds = Fit(servers_).rounds();
  const Usual usual = usual_of(rounds);
  for (const Rounds& own : rounds) {
    auto& effect = effects_.emplace_back();
    if (own.empty()) continue;
    double blocks = 0;
    for (const RoundMean& round : own) blocks += round.blocks;
    // Two independent parts, of which the second has the mean 0.
    effect = Effect{difference(within_rounds(own, usual), between_rounds(own, usual)),
                    static_cast<std::size_t>(blocks), own.size()};
  }
}

std::optional<PointFit::Effect> PointFit::mean_of(std::span<const std::size_t> servers) const {
  std::vector<const Effect*> effects;
  for (const std::size_t server : servers) {
    if (effects_[server]) effects.push_back(&*effects_[server]);
  }
  if (effects.empty()) return {};
  const auto count = static_cast<double>(effects.size());
  Effect mean;
  double squares = 0;
  for (const Effect* effect : effects) {
    const double variance = effect->log.variance / (count * count);
    mean.log.mean += effect->log.mean / count;
    mean.log.variance += variance;
    squares += variance * variance / effect->log.freedom;
    mean.blocks = std::max(mean.blocks, effect->blocks);
    mean.rounds = std::max(mean.rounds, effect->rounds);
  }
  mean.log.freedom = squares > 0 ? mean.log.variance * mean.log.variance / squares : 1;
  return mean;
}

std::optional<PairedRatio> PointFit::ratio(std::span<const std::size_t> base,
                                           std::span<const std::size_t> now) const {
  const auto before = mean_of(base);
  const auto after = mean_of(now);
  if (!before || !after) return {};
  LogEstimate log = difference(after->log, before->log);
  const auto rounds = static_cast<double>(std::min(before->rounds, after->rounds));
  log.freedom = std::min(log.freedom, rounds - 1 + kSharedFreedom);
  return PairedRatio{.log = log, .blocks = std::min(before->blocks, after->blocks)};
}

PointFit PointFit::only(const std::set<SliceKey>& blocks) const {
  std::vector<SliceLogs> servers = servers_;
  for (SliceLogs& logs : servers) {
    std::erase_if(logs, [&](const SliceLog& slice) { return !blocks.contains(slice.at); });
  }
  return PointFit(std::move(servers));
}

}  // namespace muxbench
