#include "analysis/point_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace muxbench {
namespace {

// What a point's slices are made of: all deviations are of logarithms.
struct Noise {
  double instance = 0.005;  // from one instance of a program to another
  double block = 0.2;       // of all slices of a block together: the speed of the host
  double slice = 0.03;      // of each slice
  double tail = 0.1;        // the share of slices that deviate ten times as much
  double uneven = 0;        // the spread of the logarithm of `slice` over models
};

struct Shape {
  std::size_t models = 30;
  std::uint64_t rounds = 3;
  std::uint64_t blocks = 24;
};

std::vector<SliceLogs> draw_point(const Shape& shape, const Noise& noise, std::mt19937_64& dice) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<SliceLogs> models(shape.models);
  std::vector<double> own;
  for (std::size_t i = 0; i < shape.models; ++i) {
    own.push_back(noise.slice * std::exp(noise.uneven * std::abs(normal(dice))));
  }
  for (std::uint64_t round = 0; round < shape.rounds; ++round) {
    std::vector<double> instances;
    for (std::size_t i = 0; i < shape.models; ++i) {
      instances.push_back(noise.instance * normal(dice));
    }
    for (std::uint64_t block = 0; block < shape.blocks; ++block) {
      const double speed = noise.block * normal(dice);
      for (std::size_t i = 0; i < shape.models; ++i) {
        const double width = uniform(dice) < noise.tail ? 10 * own[i] : own[i];
        models[i].push_back({{round, block}, speed + instances[i] + width * normal(dice)});
      }
    }
  }
  return models;
}

std::optional<PairedRatio> pair_ratio(const PointFit& fit, std::size_t base, std::size_t now) {
  return fit.ratio({{base}}, {{now}});
}

struct Coverage {
  double of_all = 0;        // pairs of models of a point
  double of_reference = 0;  // each model with the first
  double half_width = 0;    // mean, of all
};

// The models are the same: how often do the intervals hold 1?
Coverage coverage(const Shape& shape, const Noise& noise, std::size_t points) {
  std::mt19937_64 dice(22);
  double all = 0;
  double held = 0;
  double reference = 0;
  double reference_held = 0;
  double widths = 0;
  for (std::size_t point = 0; point < points; ++point) {
    const auto models = draw_point(shape, noise, dice);
    const PointFit fit(models);
    for (std::size_t a = 0; a < models.size(); ++a) {
      for (std::size_t b = a + 1; b < models.size(); ++b) {
        const Ratio ratio = to_ratio(pair_ratio(fit, a, b)->log);
        const bool holds = ratio.low <= 1 && 1 <= ratio.high;
        all += 1;
        held += holds ? 1 : 0;
        reference += a == 0 ? 1 : 0;
        reference_held += a == 0 && holds ? 1 : 0;
        widths += std::log(ratio.high / ratio.low) / 2;
      }
    }
  }
  const Coverage found{held / all, reference_held / reference, widths / all};
  std::printf(
      "%zu models, %llu rounds of %llu blocks, instances %.2f %%: all %.4f, of the first "
      "%.4f, half-width %.2f %%\n",
      shape.models, static_cast<unsigned long long>(shape.rounds),
      static_cast<unsigned long long>(shape.blocks), noise.instance * 100, found.of_all,
      found.of_reference, found.half_width * 100);
  return found;
}

void expect_level(const Shape& shape, const Noise& noise, std::size_t points) {
  const Coverage found = coverage(shape, noise, points);
  for (const double held : {found.of_all, found.of_reference}) {
    EXPECT_GE(held, 0.93);
    EXPECT_LE(held, 0.99);
  }
}

TEST(PointFit, IntervalsHoldTheirLevel) { expect_level({}, {}, 60); }

TEST(PointFit, IntervalsHoldTheirLevelForFewModelsRoundsAndBlocks) {
  expect_level({.models = 3}, {}, 1500);
  expect_level({.rounds = 2}, {}, 200);
  expect_level({.rounds = 4, .blocks = 8}, {}, 40);
  expect_level({.rounds = 1}, {}, 40);
}

TEST(PointFit, IntervalsKnowHowInstancesDiffer) {
  expect_level({}, {.instance = 0.02}, 200);
  EXPECT_GE(coverage({}, {.instance = 0}, 20).of_all, 0.95);
}

TEST(PointFit, IntervalsHoldTheirLevelWhereSomeModelsVaryMore) {
  expect_level({.models = 12}, {.slice = 0.06, .tail = 0.05, .uneven = 0.7}, 200);
  expect_level({.models = 44, .blocks = 7}, {.slice = 0.06, .tail = 0.05, .uneven = 0.7}, 20);
}

TEST(PointFit, FindsASmallDifferenceAndIsExactlyAntisymmetric) {
  std::mt19937_64 dice(1);
  for (int i = 0; i < 100; ++i) {
    auto models = draw_point({.models = 8, .blocks = 23}, {}, dice);
    for (SliceLog& slice : models[1]) slice.log += 0.05;
    models[1].erase(models[1].begin() + i % 60);  // a slice that failed
    const PointFit fit(models);
    const PairedRatio forth = *pair_ratio(fit, 0, 1);
    const PairedRatio back = *pair_ratio(fit, 1, 0);
    EXPECT_EQ(forth.log.mean, -back.log.mean);
    EXPECT_EQ(forth.log.variance, back.log.variance);
    EXPECT_EQ(forth.log.freedom, back.log.freedom);
    EXPECT_EQ(forth.blocks, 68U);
    const Ratio ratio = to_ratio(forth.log);
    EXPECT_NEAR(ratio.ratio, std::exp(0.05), 0.03);
    EXPECT_EQ(ratio.p, to_ratio(back.log).p);
  }
}

TEST(PointFit, ComparesOnlyWhatWasMeasuredSideBySide) {
  const SliceLogs base{{{0, 0}, 1.0}, {{0, 1}, 2.0}, {{0, 3}, 3.0}, {{0, 4}, 4.0}, {{1, 0}, 7.0}};
  const SliceLogs now{{{0, 0}, 1.5}, {{0, 2}, 9.0}, {{0, 3}, 3.5}, {{0, 4}, 4.5}, {{1, 1}, 9.0}};
  const auto found = pair_ratio(PointFit({base, now}), 0, 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->blocks, 3U);
  EXPECT_NEAR(found->log.mean, 0.5, 1e-6);
  EXPECT_FALSE(pair_ratio(PointFit({base, {now[0], now[2]}}), 0, 1))
      << "two blocks have no variance";
  EXPECT_FALSE(pair_ratio(PointFit({base, {}}), 0, 1));
}

// Servers without noise, of which two meet in no block: a third one says how fast the host was.
TEST(PointFit, ComparesServersByWayOfAThird) {
  std::vector<SliceLogs> servers(3);
  for (std::uint64_t block = 0; block < 20; ++block) {
    const double speed = block % 3 == 0 ? 0.4 : -0.2;
    servers[0].push_back({{0, block}, speed});
    servers[block % 2 + 1].push_back({{0, block}, speed + (block % 2 == 0 ? 0.02 : 0.05)});
  }
  EXPECT_NEAR(pair_ratio(PointFit(servers), 1, 2)->log.mean, 0.03, 1e-5);
  EXPECT_EQ(pair_ratio(PointFit(servers), 0, 2)->blocks, 10U);
}

TEST(PointFit, IsThatOfSomeBlocksAlone) {
  std::vector<SliceLogs> servers(2);
  std::set<SliceKey> fast;
  for (std::uint64_t block = 0; block < 20; ++block) {
    servers[0].push_back({{0, block}, block < 10 ? 0.0 : 1.0});
    servers[1].push_back({{0, block}, block < 10 ? 0.1 : 1.3});
    if (block < 10) fast.insert({0, block});
  }
  const PointFit fit = PointFit(servers).only(fast);
  EXPECT_NEAR(pair_ratio(fit, 0, 1)->log.mean, 0.1, 1e-6);
  EXPECT_EQ(pair_ratio(fit, 0, 1)->blocks, 10U);
}

TEST(PointFit, TheMeanOfTwoServersIsKnownBetterThanOne) {
  std::mt19937_64 dice(3);
  const PointFit fit(draw_point({.models = 12}, {}, dice));
  const std::size_t both[] = {0, 1};
  const std::size_t now[] = {2};
  const auto to_both = fit.ratio(both, now);
  ASSERT_TRUE(to_both);
  EXPECT_DOUBLE_EQ(to_both->log.mean,
                   (pair_ratio(fit, 0, 2)->log.mean + pair_ratio(fit, 1, 2)->log.mean) / 2);
  EXPECT_LT(to_both->log.variance, pair_ratio(fit, 0, 2)->log.variance);
}

TEST(PointFit, RoundsWeighTheSameWhateverTheirBlocks) {
  SliceLogs base;
  SliceLogs now;
  for (std::uint64_t block = 0; block < 30; ++block) {
    for (const std::uint64_t round : {0, 1}) {
      if (round == 1 && block >= 5) continue;
      base.push_back({{round, block}, 0});
      now.push_back({{round, block}, round == 0 ? 0.02 : 0.04});
    }
  }
  const auto by_key = [](const SliceLog& a, const SliceLog& b) { return a.at < b.at; };
  std::sort(base.begin(), base.end(), by_key);
  std::sort(now.begin(), now.end(), by_key);
  EXPECT_NEAR(pair_ratio(PointFit({base, now}), 0, 1)->log.mean, 0.03, 1e-6);
}

TEST(LogEstimate, AQuotientOfTwoAddsTheirVariances) {
  const LogEstimate a{0.3, 4e-4, 12};
  const LogEstimate b{0.1, 1e-4, 12};
  const LogEstimate found = difference(a, b);
  EXPECT_DOUBLE_EQ(found.mean, 0.2);
  EXPECT_DOUBLE_EQ(found.variance, 5e-4);
  EXPECT_GT(found.freedom, 12);
  EXPECT_LT(found.freedom, 24);
}

TEST(LogEstimate, AnIntervalForManyIsWider) {
  const LogEstimate log{0.1, 1e-4, 12};
  EXPECT_LT(to_ratio(log, 10).low, to_ratio(log).low);
  EXPECT_GT(to_ratio(log, 10).high, to_ratio(log).high);
}

}  // namespace
}  // namespace muxbench
