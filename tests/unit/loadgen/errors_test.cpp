#include "client/errors.h"

#include <gtest/gtest.h>

namespace muxbench::loadgen {
namespace {

TEST(ErrorLog, KeepsTheFirstExampleAndCountsAll) {
  ErrorLog log;
  int formatted = 0;
  for (int i = 0; i < 3; ++i) {
    log.add(ErrorKind::closed, [&] { return "example " + std::to_string(++formatted); });
  }
  log.add(ErrorKind::reset, "plain text");
  EXPECT_EQ(log.count(ErrorKind::closed), 3U);
  EXPECT_EQ(log.first(ErrorKind::closed), "example 1");
  EXPECT_EQ(formatted, 1) << "later ones are not even formatted";
  EXPECT_EQ(log.first(ErrorKind::reset), "plain text");
  EXPECT_EQ(log.total(), 4U);
}

TEST(ErrorLog, MergingAddsAndFillsInExamples) {
  ErrorLog first;
  ErrorLog second;
  first.add(ErrorKind::closed, "mine");
  second.add(ErrorKind::closed, "theirs");
  second.add(ErrorKind::missing, "theirs");
  first.merge(second);
  EXPECT_EQ(first.count(ErrorKind::closed), 2U);
  EXPECT_EQ(first.first(ErrorKind::closed), "mine");
  EXPECT_EQ(first.first(ErrorKind::missing), "theirs");
}

TEST(ErrorKind, NamesFollowTheReportFormat) {
  EXPECT_EQ(kErrorKindNames[static_cast<int>(ErrorKind::corrupt)], "corrupt");
  EXPECT_EQ(kErrorKindNames[static_cast<int>(ErrorKind::timeout)], "timeout");
  EXPECT_EQ(kErrorKindNames[static_cast<int>(ErrorKind::unexpected_status)], "unexpected_status");
  EXPECT_EQ(kErrorKindNames[static_cast<int>(ErrorKind::protocol)], "protocol");
  EXPECT_EQ(kErrorKindNames[static_cast<int>(ErrorKind::connect)], "connect");
}

}  // namespace
}  // namespace muxbench::loadgen
