// The answer that a report gives, and its words.
#include "report/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/answer_text.h"
#include "report/read_report.h"
#include "report/write_report.h"
#include "sliced_report.h"

namespace muxbench {
namespace {

using fixtures::sliced_report;
using fixtures::SlicedModel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const report::AnswerRow& row_of(const report::Report& report, const std::string& question) {
  const auto& rows = report.conclusions->answer.rows;
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const report::AnswerRow& row) {
    return row.question == question;
  });
  if (found == rows.end()) throw std::runtime_error("no question " + question);
  return *found;
}

std::vector<std::string> models_of(const std::vector<report::AnswerEntry>& entries) {
  std::vector<std::string> models;
  for (const report::AnswerEntry& entry : entries) models.push_back(entry.model);
  return models;
}

// Short connections are asked by CPU time alone.
report::Report churn_report(std::vector<std::pair<std::string, SlicedModel>> models) {
  return sliced_report({.experiment = "churn", .models = std::move(models), .noise = 0.01});
}

constexpr const char* kShort = "short connections";

TEST(Answer, SortsModelsIntoThoseToTakeAndThoseToAvoid) {
  const report::Report report = churn_report({{"slow", {.cpu_ns = 27000}},
                                              {"epoll_level", {}},
                                              {"slowest", {.cpu_ns = 90000}},
                                              {"near", {.cpu_ns = 10000}},
                                              {"best", {.cpu_ns = 8000}}});
  const report::AnswerRow& row = row_of(report, kShort);
  ASSERT_TRUE(row.decided());
  EXPECT_EQ(row.metric, "server_cpu_ns_per_request");
  EXPECT_EQ(row.where, "connections 8");
  EXPECT_EQ(row.reference, "epoll_level");
  EXPECT_THAT(models_of(row.best), ElementsAre("best"));
  EXPECT_THAT(models_of(row.between), ElementsAre("epoll_level", "near"));
  EXPECT_THAT(models_of(row.avoid), ElementsAre("slowest", "slow")) << "the worst one first";
  EXPECT_NEAR(row.avoid[1].ratio, 3, 0.1);
  EXPECT_LT(row.avoid[1].low, row.avoid[1].ratio);
  EXPECT_GT(row.avoid[1].high, row.avoid[1].ratio);
}

TEST(Answer, RecommendsTheReferenceWhereItTiesWithTheBest) {
  const report::Report report = churn_report({{"a", {.cpu_ns = 8990}},
                                              {"epoll_level", {}},
                                              {"b", {.cpu_ns = 9010}},
                                              {"c", {.cpu_ns = 40000}}});
  const report::AnswerRow& row = row_of(report, kShort);
  ASSERT_EQ(row.best.size(), 3U);
  EXPECT_EQ(row.best.front().model, "epoll_level");
  EXPECT_EQ(row.best.front().ratio, 1);
  EXPECT_THAT(models_of(row.avoid), ElementsAre("c"));
}

TEST(Answer, OfWhatWasNotMeasuredIsACommand) {
  const report::Report report = churn_report({{"epoll_level", {}}, {"poll", {}}});
  EXPECT_TRUE(row_of(report, kShort).measured);
  const report::AnswerRow& idle = row_of(report, "many idle connections");
  EXPECT_FALSE(idle.measured);
  EXPECT_FALSE(idle.decided());
  EXPECT_THAT(answer_lines(report), HasSubstr("Not measured: many idle connections (--experiments "
                                              "idle), many busy connections (--experiments "
                                              "connections), "));
  EXPECT_EQ(answer_lines(sliced_report({})), "") << "no question at all";
}

TEST(Answer, IsAskedByThroughputOnlyWhereMostModelsHaveIt) {
  const auto busy = [](double disturbed) {
    return sliced_report({.experiment = "connections", .disturbed = disturbed});
  };
  EXPECT_EQ(row_of(busy(0.1), "many busy connections").metric, "requests_per_second");
  report::Report report = busy(0.1);
  for (report::Cell& cell : report.experiments.front().cells) {
    cell.flags.push_back({.kind = "saturated_load", .detail = "97 % busy"});
  }
  report.conclusions = conclude(report);
  EXPECT_EQ(row_of(report, "many busy connections").metric, "server_cpu_ns_per_request");
}

TEST(Answer, OfEachExperimentHasARow) {
  for (const auto* name :
       {"idle", "connections", "latency", "churn", "work_spin", "work_block", "work_child"}) {
    const report::Report report = sliced_report({.experiment = name});
    std::size_t measured = 0;
    for (const report::AnswerRow& row : report.conclusions->answer.rows) {
      EXPECT_EQ(row.measured, row.experiment == name);
      measured += row.measured ? 1 : 0;
    }
    EXPECT_EQ(measured, std::string(name) == "idle" ? 2U : 1U) << name;
  }
}

TEST(Answer, CallsNoModelAsGoodThatOnlyNoiseHides) {
  const report::Report report = sliced_report(
      {.experiment = "churn",
       .models = {{"epoll_level", {}}, {"open", {.cpu_ns = 18000}}, {"good", {.cpu_ns = 9100}}},
       .rounds = 1,
       .blocks = 4,
       .slow_from = 4,
       .noise = 0.5});
  const report::AnswerRow& row = row_of(report, kShort);
  for (const report::AnswerEntry& entry : row.best) EXPECT_LT(entry.ratio, 1.6) << entry.model;
}

TEST(Answer, NamesWhoCouldNotBeRankedAndWhy) {
  report::Report report = churn_report(
      {{"epoll_level", {}}, {"poll", {}}, {"failing", {}}, {"skipped", {}}, {"again", {}}});
  for (report::Cell& cell : report.experiments.front().cells) {
    if (cell.model == "failing") cell.flags.push_back({.kind = "errors", .detail = "3 errors"});
    if (cell.model != "skipped" && cell.model != "again") continue;
    cell.status = "skipped";
    cell.reason = "it serves one connection at a time";
  }
  report.conclusions = conclude(report);
  const report::AnswerRow& row = row_of(report, kShort);
  ASSERT_EQ(row.unable.size(), 2U);
  EXPECT_EQ(row.unable[0].reason, "it serves one connection at a time");
  EXPECT_THAT(row.unable[0].models, ElementsAre("skipped", "again"));
  EXPECT_EQ(row.unable[1].reason, "flagged as errors");
  EXPECT_THAT(row.unable[1].models, ElementsAre("failing"));
}

TEST(Answer, SaysThatTooLittleIsCleanWhereNothingCanBeRanked) {
  report::Report report = churn_report({{"epoll_level", {}}, {"poll", {}}});
  for (report::Cell& cell : report.experiments.front().cells) {
    cell.flags.push_back({.kind = "errors", .detail = "3 errors"});
  }
  report.conclusions = conclude(report);
  EXPECT_FALSE(row_of(report, kShort).decided());
  EXPECT_THAT(answer_lines(report), HasSubstr("short connections: too few clean measurements"));
  EXPECT_THAT(answer_markdown(report), Not(HasSubstr("| short")));
}

TEST(Answer, OnATerminalHasALineForEachQuestionWithAFewNames) {
  std::vector<std::pair<std::string, SlicedModel>> models{{"epoll_level", {}}};
  for (int i = 0; i < 8; ++i) models.emplace_back(fmt::format("good_{}", i), SlicedModel{});
  for (int i = 0; i < 8; ++i) {
    models.emplace_back(fmt::format("bad_{}", i), SlicedModel{.cpu_ns = 20000 + 2000.0 * i});
  }
  const report::Report report = churn_report(models);
  const std::string text = answer_lines(report);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_THAT(text, HasSubstr("short connections (connections 8, server CPU per request): "
                              "epoll_level 9."));
  EXPECT_THAT(text, HasSubstr("; as good: good_"));
  EXPECT_THAT(text, HasSubstr(" and 6 more; avoid bad_7 3.8 times, bad_6 3.6 times and 6 more\n"));
  EXPECT_THAT(text, Not(HasSubstr("(3.8 to"))) << "intervals are in the table";
}

TEST(Answer, OfALongListATableNamesSixAndCountsTheRest) {
  std::vector<std::pair<std::string, SlicedModel>> models{{"epoll_level", {}}};
  for (int i = 0; i < 6; ++i) models.emplace_back(fmt::format("good_{}", i), SlicedModel{});
  for (int i = 0; i < 8; ++i) {
    models.emplace_back(fmt::format("bad_{}", i), SlicedModel{.cpu_ns = 20000 + 2000.0 * i});
  }
  const std::string table = answer_markdown(churn_report(models));
  for (int i = 0; i < 6; ++i) EXPECT_THAT(table, HasSubstr(fmt::format("good_{}", i)));
  for (int i = 2; i < 8; ++i) EXPECT_THAT(table, HasSubstr(fmt::format("bad_{}", i)));
  EXPECT_THAT(table, HasSubstr(") and 2 more |"));
  EXPECT_THAT(table, Not(HasSubstr("bad_0")));
}

TEST(Answer, WhileARunGoesOnHasALineForEachQuestionInColumns) {
  EXPECT_THAT(leader_lines(sliced_report({})), IsEmpty());
  const auto lines =
      leader_lines(churn_report({{"epoll_level", {}}, {"good", {}}, {"bad", {.cpu_ns = 30000}}}));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], testing::StartsWith("  short connections  epoll_level 9."));
  EXPECT_THAT(lines[0], testing::EndsWith("  as good: good"));
  report::Report open = churn_report({{"epoll_level", {}}, {"poll", {}}});
  for (report::Cell& cell : open.experiments.front().cells)
    cell.flags.push_back({.kind = "errors", .detail = "3"});
  open.conclusions = conclude(open);
  EXPECT_THAT(leader_lines(open), ElementsAre("  short connections  not known yet"));
}

TEST(Answer, WithAllQuestionsLeavesRoomForWhereToLook) {
  report::Report report = churn_report(
      {{"epoll_level", {}}, {"a", {}}, {"b", {}}, {"c", {}}, {"bad", {.cpu_ns = 30000}}});
  auto& rows = report.conclusions->answer.rows;
  const report::AnswerRow answered = row_of(report, kShort);
  for (report::AnswerRow& row : rows) {
    const std::string question = row.question;
    row = answered;
    row.question = question;
  }
  const std::string text = answer_lines(report);
  EXPECT_EQ(rows.size(), 8U);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 13) << text;
}

TEST(Answer, NamesAFamilyOfWhichAllAreAsGood) {
  std::vector<std::pair<std::string, SlicedModel>> models{{"epoll_level", {}}};
  for (int i = 0; i < 6; ++i) models.emplace_back(fmt::format("good_{}", i), SlicedModel{});
  models.emplace_back("bad", SlicedModel{.cpu_ns = 20000});
  report::Report report = churn_report(models);
  for (report::Model& model : report.models) {
    model.json["family"] = model.name.starts_with("good") ? "library" : "other";
  }
  EXPECT_THAT(answer_lines(report), HasSubstr("as good: all library models (1.00 to 1.0"));
}

TEST(Answer, SaysHowFarTheMachineCanBeTrusted) {
  const report::Report report = churn_report({{"epoll_level", {}}, {"poll", {}}});
  const report::Trust& trust = report.conclusions->answer.trust;
  EXPECT_EQ(trust.cells, 1U);
  ASSERT_TRUE(trust.half_width_of_half && trust.half_width_of_most && trust.twins_apart);
  EXPECT_GT(*trust.half_width_of_half, 0);
  EXPECT_LT(*trust.half_width_of_most, 0.05);
  EXPECT_FALSE(trust.host_change);
  EXPECT_THAT(trust_sentence(report), HasSubstr("CPU time per request is known to "));
  const report::Report changing = sliced_report({.experiment = "churn", .slow_from = 12});
  EXPECT_NEAR(changing.conclusions->answer.trust.host_change.value_or(0), 0.5, 0.1);
  EXPECT_THAT(trust_sentence(changing), HasSubstr("the host changed its speed by up to "));
}

TEST(Answer, IsTheSameAfterWritingAndReading) {
  const report::Report report =
      churn_report({{"epoll_level", {}}, {"poll", {.cpu_ns = 20000}}, {"select", {}}});
  const auto read = read_report(to_json(report), "r.json");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(answer_lines(*read), answer_lines(report));
  EXPECT_EQ(answer_markdown(*read), answer_markdown(report));
  EXPECT_THAT(answer_markdown(report), Not(IsEmpty()));
}

}  // namespace
}  // namespace muxbench
