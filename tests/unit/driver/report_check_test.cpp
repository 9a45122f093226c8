#include "report/report_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "analysis/measured_report.h"
#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string refusal(const Result<>& result) {
  if (result) return "";
  EXPECT_EQ(result.error().exit, Exit::usage);
  EXPECT_THAT(result.error().message, HasSubstr("; ")) << "the remedy is missing";
  return result.error().message;
}

std::string refusal_of_version(const Json& version) {
  return refusal(check_schema_version({{"muxbench", {{"schema_version", version}}}}, "r.json"));
}

TEST(SchemaVersion, IsOneAndAnyMinorNumber) {
  for (const char* good : {"1.0", "1.1", "1.9", "1.10", "1.007"}) {
    EXPECT_EQ(refusal_of_version(good), "");
  }
  for (const char* bad : {"1.banana", "1.", "1", "", "2.0", "11.0", "01.1", "1.1.1", "1.1 ", " 1.1",
                          "1.-1", "1.+1", "1.1e3", "1,1", "1.1\n", "1.\u0661", "v1.1"}) {
    const std::string said = refusal_of_version(bad);
    EXPECT_THAT(said, HasSubstr("r.json has schema version " + Json(bad).dump())) << bad;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  EXPECT_THAT(refusal_of_version(1.1), HasSubstr("schema version 1.1"));
  EXPECT_THAT(refusal_of_version(std::string(10'000, '1')).size(), testing::Lt(200U));
}

TEST(SchemaVersion, IsAskedOfAReportOnly) {
  for (const char* other :
       {"[1]", "7", "null", "{}", R"({"muxbench": 7})", R"({"muxbench": {}})"}) {
    EXPECT_THAT(refusal(check_schema_version(Json::parse(other), "r.json")),
                HasSubstr("r.json is JSON but no muxbench report"))
        << other;
  }
}

TEST(SchemaVersion, IsAskedByAllReaders) {
  const std::string path = testing::TempDir() + "banana.json";
  const std::string text = R"({"muxbench": {"schema_version": "1.banana"}})";
  std::ofstream(path) << text;
  const auto loaded = load_report(path);
  const auto read = read_report(Json::parse(text), path);
  ASSERT_FALSE(loaded.ok());
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(loaded.error().message, HasSubstr("schema version \"1.banana\""));
  EXPECT_EQ(loaded.error().message, read.error().message);
}

std::string refusal_of(const Json& report) {
  const auto read = fixtures::measured(report, "x.json");
  return read ? "" : refusal(read.error());
}

TEST(ReadReport, RefusesWhatIsNone) {
  EXPECT_THAT(refusal_of(Json::parse("[]")), HasSubstr("no muxbench report"));
  auto record = fixtures::record({100e3, 101e3, 99e3}, {100e3, 101e3, 99e3});
  const Json report = fixtures::report_json(record);
  EXPECT_EQ(refusal_of(report), "");
  Json other = report;
  other["muxbench"]["schema_version"] = "2.0";
  EXPECT_THAT(refusal_of(other), HasSubstr("schema version \"2.0\""));
  other = report;
  other["muxbench"]["cells"].push_back(other["muxbench"]["cells"][0]);
  EXPECT_THAT(refusal_of(other), HasSubstr("is there twice"));
  other = report;
  other["muxbench"]["cells"].erase(0);
  EXPECT_THAT(refusal_of(other), HasSubstr("a cell \"a/load/connections:8\" that is not there"));
  other = report;
  other["muxbench"]["trials"] = Json::array();
  EXPECT_THAT(refusal_of(other), HasSubstr("measured and has no trials"));
  other = report;
  other["muxbench"].erase("host");
  EXPECT_THAT(refusal_of(other), HasSubstr("muxbench.host should be there"));
  other = report;
  other["muxbench"]["trials"][0]["load"]["achieved"]["requests_per_second"] = -1;
  EXPECT_THAT(refusal_of(other), HasSubstr("requests_per_second should be a number of 0 or more"));
  other = report;
  other["muxbench"]["trials"][0]["load"]["latency_ns"]["mean"] = 0;
  EXPECT_THAT(refusal_of(other), HasSubstr("has 0 for latency_mean_ns"));
  other = report;
  other["muxbench"]["cells"][0]["status"] = 7;
  EXPECT_THAT(refusal_of(other),
              HasSubstr("muxbench.cells[0].status should be \"measured\" or \"skipped\" or "
                        "\"failed\" or \"missing\"; "));
}

Json small_report() { return fixtures::report_json(fixtures::record({100e3, 101e3}, {99e3})); }

TEST(Schema, IsOpenForWhatNewerMinorVersionsAdd) {
  Json report = small_report();
  Json& section = report["muxbench"];
  section["schema_version"] = "1.9";
  section["weather"] = {"fine"};
  section["cells"][0]["flags"] = {{{"kind", "rained_on"}, {"detail", "by much"}, {"drops", 7}}};
  section["trials"][0]["load"]["asked"]["protocol"] = "smtp";
  EXPECT_EQ(refusal_of(report), "");
}

// Where HTTP was measured, and where the clock rate was unknown.
TEST(Schema, TakesReportsOfItsFirstVersion) {
  Json report = small_report();
  report["context"]["mhz_per_cpu"] = 0;
  Json& section = report["muxbench"];
  section["schema_version"] = "1.0";
  section["trials"][0]["load"]["asked"]["protocol"] = "http";
  for (const char* later : {"metrics", "verdicts", "counting", "counting_trials", "twin_trials",
                            "noise_floor", "findings", "fits", "crossovers"}) {
    section.erase(later);
  }
  EXPECT_EQ(refusal_of(report), "");
}

TEST(Schema, TakesTheLargestCount) {
  Json report = small_report();
  report["muxbench"]["run"]["seed"] = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(refusal_of(report), "");
}

// The library's patterns are those of std::regex, which recurses for each character.
TEST(Schema, RefusesTextOfAnyLength) {
  const std::string longest(2'000'000, 'a');
  Json report = small_report();
  report["muxbench"]["trials"][0]["cell"] = longest;
  EXPECT_THAT(refusal_of(report), HasSubstr("muxbench.trials[0].cell should be the id of a cell"));
  report = small_report();
  report["muxbench"]["cells"][0]["model"] = longest + ".";
  report["muxbench"]["cells"][0]["point"] = {{longest, "8"}};
  const std::string said = refusal_of(report);
  EXPECT_THAT(said, HasSubstr("muxbench.cells[0].point."));
  EXPECT_LT(said.size(), 1000U);
}

TEST(Schema, SaysWhereAndWhatInOneLine) {
  const auto said = [](const char* pointer, const Json& value) {
    Json report = small_report();
    report.at("muxbench")[Json::json_pointer(pointer)] = value;
    const std::string text = refusal_of(report);
    EXPECT_THAT(text, Not(HasSubstr("\n")));
    const auto begin = text.find("muxbench.");
    return text.substr(begin, text.rfind("; give") - begin);
  };
  EXPECT_EQ(said("/cells/0/point", 7),
            "muxbench.cells[0].point should be an object of one member or more");
  EXPECT_EQ(said("/cells/0/point/a\nb", "x"),
            "muxbench.cells[0].point.a\\nb should be a whole number of 0 or more");
  EXPECT_EQ(said("/models/0/name", "A"),
            "muxbench.models[0].name should be a name of a to z, 0 to 9 and _");
  EXPECT_EQ(said("/models/0/available", 1), "muxbench.models[0].available should be true or false");
  EXPECT_EQ(said("/plan/trials", 0), "muxbench.plan.trials should be a whole number of 1 or more");
  EXPECT_EQ(said("/cells/0/reason", "so"), "muxbench.cells[0].reason should not be there");
  EXPECT_EQ(said("/cells/0/status", "skipped"), "muxbench.cells[0].reason should be there");
  EXPECT_EQ(said("/trials/0/load/status", 7),
            "muxbench.trials[0].load.status should be \"ok\" or \"overloaded\"");
  EXPECT_EQ(said("/verdicts/0/matrix", Json::array({"fs"})),
            "muxbench.verdicts[0].matrix should be a list of 2 entries or more");
  EXPECT_EQ(said("/metrics/0/better", 1),
            "muxbench.metrics[0].better should be \"more\" or \"less\"");
}

}  // namespace
}  // namespace muxbench
