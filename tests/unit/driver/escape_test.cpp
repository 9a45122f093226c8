// Text of programs, machines and reports does not become markup or a formula.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "export/exports.h"
#include "export/summary_markdown.h"
#include "sliced_report.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kHostile = "=1+1|<img src=x onerror=alert(1)>[link](javascript:1)\n\"'&";

report::Report hostile_report() {
  report::Report report = fixtures::sliced_report({.experiment = "churn"});
  report.host.cpu_model = kHostile;
  report.host.kernel = kHostile;
  report.run.notes = {kHostile};
  report::Experiment& experiment = report.experiments.front();
  experiment.question = kHostile;
  experiment.cells.back().status = "failed";
  experiment.cells.back().reason = kHostile;
  experiment.cells.front().flags = {{.kind = "few_undisturbed", .detail = kHostile}};
  report.conclusions = conclude(report);
  return report;
}

TEST(Escape, LeavesNoMarkupInMarkdown) {
  const std::string text = summary_markdown(hostile_report());
  EXPECT_THAT(text, Not(HasSubstr("<img")));
  EXPECT_THAT(text, Not(testing::ContainsRegex(R"((^|[^\\])\[link)")));
  EXPECT_THAT(text, HasSubstr("&lt;img"));
  EXPECT_EQ(escape_markdown("a|b\n**c**"), "a\\|b **c**");
}

TEST(Escape, LeavesNoFormulaInATable) {
  const std::string text = export_csv(hostile_report());
  EXPECT_THAT(text, HasSubstr("\"'=1+1|"));
  EXPECT_THAT(text, Not(HasSubstr(",\"=1")));
  EXPECT_THAT(text, Not(HasSubstr(",=1")));
}

}  // namespace
}  // namespace muxbench
