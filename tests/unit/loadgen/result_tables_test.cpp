#include "result/result_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "metrics/hgrm.h"

namespace muxbench::loadgen {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;

TEST(Hgrm, LinesAscendToTheMaximumAndCountAll) {
  Histogram histogram;
  for (int i = 1; i <= 1'000; ++i) histogram.record(microseconds(i));
  std::istringstream text(to_hgrm(histogram));
  std::string header;
  std::getline(text, header);
  EXPECT_THAT(header, HasSubstr("Percentile"));
  double last_value = 0;
  double last_quantile = -1;
  double median = 0;
  std::uint64_t seen = 0;
  double value = 0;
  double quantile = 0;
  std::string rest;
  while (text >> value >> quantile >> seen >> rest) {
    EXPECT_GE(value, last_value);
    EXPECT_GT(quantile, last_quantile);
    if (quantile <= 0.5) median = value;
    last_value = value;
    last_quantile = quantile;
  }
  EXPECT_EQ(seen, 1'000U);
  EXPECT_EQ(last_quantile, 1.0);
  EXPECT_DOUBLE_EQ(last_value, 1.0) << "milliseconds";
  EXPECT_NEAR(median, 0.5, 0.0005);
  EXPECT_THAT(to_hgrm(histogram), HasSubstr("Total count    =           1000]"));
}

// As HdrHistogram's own writer: five lines for each halving of what is left.
TEST(Hgrm, PercentilesComeCloserTowardsTheEnd) {
  Histogram histogram;
  for (int i = 1; i <= 1'000; ++i) histogram.record(microseconds(i));
  std::istringstream text(to_hgrm(histogram));
  std::string header;
  std::getline(text, header);
  for (const double wanted : {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.775}) {
    double value = 0;
    double quantile = 0;
    std::string seen;
    double rest = 0;
    ASSERT_TRUE(text >> value >> quantile >> seen >> rest);
    EXPECT_DOUBLE_EQ(quantile, wanted);
    EXPECT_NEAR(rest, 1 / (1 - wanted), 0.005) << wanted;
  }
}

TEST(Hgrm, OfNothingHasNoNumbersThatAreNone) {
  const std::string text = to_hgrm(Histogram());
  EXPECT_THAT(text, testing::Not(HasSubstr("nan")));
  EXPECT_THAT(text, HasSubstr("Total count    =              0]"));
}

TEST(Csv, HasALineForEachRunAndLeavesUnknownFieldsEmpty) {
  Step step;
  step.options.target_text = "a\"b";
  step.options.rate = 1'000;
  Step empty;
  for (int i = 0; i < 150; ++i) step.result.latency.record(microseconds(i));
  step.result.requests = 150;
  const std::string text = to_csv({step, empty});
  std::istringstream lines(text);
  std::string names, first, second, none;
  std::getline(lines, names);
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_FALSE(std::getline(lines, none));
  const auto commas = [](const std::string& line) { return std::ranges::count(line, ','); };
  EXPECT_EQ(commas(names), commas(first));
  EXPECT_EQ(commas(names), commas(second));
  EXPECT_THAT(first, testing::StartsWith("ok,\"a\"\"b\",echo,1000,"));
  EXPECT_THAT(first, HasSubstr(",,,,149000,")) << "p99 and deeper need more samples";
  EXPECT_THAT(second, testing::StartsWith("failed,"));
  EXPECT_THAT(text, testing::Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace muxbench::loadgen
