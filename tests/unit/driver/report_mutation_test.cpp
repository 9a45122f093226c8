// A report that someone edited, cut off or generated is either read as it was meant or refused in
// one sentence: every member of a small one is taken away and given every other type.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "analysis/comparison.h"
#include "analysis/findings.h"
#include "export/exports.h"
#include "fixtures.h"
#include "report/report_check.h"

namespace muxbench {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Against base(), a is 10 % faster and b 10 % slower. As it is in a file: 1 is a whole number.
Json report_of(double factor) {
  auto record = fixtures::record({}, {});
  for (unsigned i = 0; i < 4; ++i) {
    const double noise = 1 + 0.002 * i;
    record.trials.push_back(fixtures::trial(0, i, 100e3 * noise * factor));
    record.trials.push_back(fixtures::trial(1, i, 100e3 * noise / factor));
    record.twin_trials.push_back(fixtures::trial(0, i, 100.1e3 * noise * factor));
  }
  record.planned_trials = record.trials.size();
  for (TrialResult& trial : record.trials) {
    fixtures::edit(trial)["latency_ns"]["histogram"] = {{"significant_digits", 2},
                                                        {"buckets", {{40000, 7}}}};
  }
  Json report = fixtures::report_json(record);
  report["muxbench"]["cells"][0]["counts"] = {
      {"source", "a test"},
      {"requests", 1000},
      {"total_calls", 2000},
      {"syscalls", {{"sendto", {{"calls", 1000}}}}},
      {"context_switches", {{"voluntary", 10}, {"involuntary", 0}}}};
  return *parse_json(to_text(report), "made.json");
}

const MeasuredReport& base() {
  static const auto report = fixtures::measured(report_of(1), "base.json");
  if (!report) throw std::runtime_error(report.error().message);
  return *report;
}

void expect_sentence(const Error& error) {
  EXPECT_EQ(error.exit, Exit::usage);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("new.json"), Not(HasSubstr("json.exception")), Not(HasSubstr("\n"))));
}

void expect_no_other_verdict(const Result<Comparison>& comparison, Verdict on_a, Verdict on_b) {
  if (!comparison) return expect_sentence(comparison.error());
  for (const CellComparison& cell : comparison->cells) {
    const bool none = cell.verdict == Verdict::missing || cell.verdict == Verdict::insufficient ||
                      cell.verdict == Verdict::flagged;
    const bool is_a = cell.cell == "a/load/connections:8";
    if (none) continue;
    EXPECT_EQ(cell.metric, "requests_per_second");
    EXPECT_TRUE(is_a || cell.cell == "b/load/connections:8") << cell.cell;
    EXPECT_EQ(to_string(cell.verdict), std::string(to_string(is_a ? on_a : on_b)));
  }
}

void expect_sound_comparison(const report::Report& mutant) {
  const auto read = measured_report(mutant);
  if (!read) return expect_sentence(read.error());
  const CompareSettings settings{.across_hosts = true};  // a changed host gives a verdict, too
  expect_no_other_verdict(compare_reports(base(), *read, settings), Verdict::faster,
                          Verdict::slower);
  expect_no_other_verdict(compare_reports(*read, base(), settings), Verdict::slower,
                          Verdict::faster);
}

void expect_sound_exports(const report::Report& mutant) {
  for (const ExportFormat& format : kExportFormats) {
    EXPECT_FALSE(format.write(mutant).empty()) << format.name;
  }
  const auto histogram = export_hgrm(mutant, "a/load/connections:8");
  if (!histogram) {
    EXPECT_THAT(histogram.error().message, HasSubstr("no latencies of a cell"));
  }
  EXPECT_FALSE(conclude(mutant).findings.empty());
}

// Those of another type, and the numbers that are none of a count.
std::vector<Json> replacements_for(const Json& value) {
  std::vector<Json> others;
  const Json candidates =
      Json::parse(R"([null, true, "text", 7, -1, 1.5, [], {}, [[]], {"x": 7}])");
  for (const Json& other : candidates) {
    const bool both_numbers = other.is_number() && value.is_number();
    const bool no_count = value.is_number_unsigned() && !other.is_number_unsigned();
    const bool emptied = other.empty() && other != value && other.is_structured();
    const bool other_type = other.type() != value.type() && !both_numbers;
    if (other_type || (both_numbers && no_count) || emptied) others.push_back(other);
  }
  return others;
}

// Calls `use(place)` while each value below is another one, and while each member is not there.
template <typename Use>
void mutate(Json& value, const std::string& place, const Use& use) {
  for (const Json& other : replacements_for(value)) {
    const Json was = std::exchange(value, other);
    use(place + " = " + other.dump());
    value = was;
  }
  if (!value.is_structured()) return;
  const Json was = value;
  for (const auto& [key, member] : was.items()) {
    const std::string below = place + "/" + key;
    if (value.is_array()) {
      const std::size_t index = std::stoul(key);
      if (index < 2) mutate(value.at(index), below, use);  // the others are like them
      continue;
    }
    mutate(value.at(key), below, use);
    value.erase(key);
    use(below + " taken away");
    value = was;
  }
}

TEST(Mutation, OfAnyMemberGivesNoOtherVerdictAndNoCrash) {
  Json report = report_of(1.1);
  ASSERT_TRUE(check_report(report, "new.json")) << check_report(report, "new.json").error().message;
  const auto compared = compare_reports(base(), *fixtures::measured(report, "new.json"), {});
  ASSERT_EQ(compared->cells[0].verdict, Verdict::faster);
  ASSERT_EQ(compared->cells[1].verdict, Verdict::slower);
  int mutants = 0;
  int refused = 0;
  mutate(report.at("muxbench"), "muxbench", [&](const std::string& what) {
    SCOPED_TRACE(what);
    ++mutants;
    const auto read = read_report(report, "new.json");
    if (!read) {
      ++refused;
      return expect_sentence(read.error());
    }
    expect_sound_comparison(*read);
    expect_sound_exports(*read);
  });
  std::printf("%d mutants, %d of them refused\n", mutants, refused);
  EXPECT_GT(mutants, 3000);
  EXPECT_GT(refused, mutants / 10);
}

TEST(Mutation, OfWhatBelongsTogetherIsNamed) {
  const Json good = report_of(1.1);
  const auto refusal = [&](const auto& change) {
    Json report = good;
    change(report.at("muxbench"));
    const auto compared = fixtures::measured(report, "new.json");
    EXPECT_FALSE(compared.ok());
    if (compared.ok()) return std::string();
    EXPECT_THAT(compared.error().message, HasSubstr("; give the report.json that a run wrote"));
    return compared.error().message;
  };
  EXPECT_THAT(refusal([](Json& s) { s["trials"][1]["repetition"] = -1; }),
              HasSubstr("muxbench.trials[1].repetition should be a whole number of 0 or more"));
  EXPECT_THAT(refusal([](Json& s) { s["trials"][1]["repetition"] = 1.5; }),
              HasSubstr("muxbench.trials[1].repetition should be a whole number of 0 or more"));
  EXPECT_THAT(refusal([](Json& s) { s["host"] = Json::object(); }),
              HasSubstr("muxbench.host.architecture should be there"));
  EXPECT_THAT(refusal([](Json& s) { s["experiments"] = Json::array(); }),
              HasSubstr("muxbench.experiments should be a list of one entry or more"));
  EXPECT_THAT(refusal([](Json& s) { s["experiments"].push_back(s["experiments"][0]); }),
              HasSubstr("the experiment \"load\" is there twice"));
  EXPECT_THAT(refusal([](Json& s) { s["cells"][1]["experiment"] = "other"; }),
              HasSubstr("is of an experiment \"other\" that is not there"));
  EXPECT_THAT(refusal([](Json& s) {
                s["cells"][1].update({{"status", "skipped"}, {"reason", "so"}});
                s["cells"][1]["summary"] = Json::object();
                s["cells"][1].erase("relative");
              }),
              HasSubstr("\"b/load/connections:8\" is \"skipped\" and has trials that succeeded"));
  EXPECT_THAT(refusal([](Json& s) { s["trials"][0]["cell"] = "c/load/connections:8"; }),
              HasSubstr("a trial is of a cell \"c/load/connections:8\" that is not there"));
  EXPECT_THAT(refusal([](Json& s) { s["trials"].push_back(s["trials"][0]); }),
              HasSubstr("trial 0 of the cell \"a/load/connections:8\" is there twice"));
  EXPECT_THAT(refusal([](Json& s) { s["trials"] = Json::array(); }),
              HasSubstr("is measured and has no trials"));
}

TEST(Mutation, OfTheTextIsRefusedWhereverItIsCut) {
  const std::string text = to_text(report_of(1.1));
  for (std::size_t length = 0; length + 2 < text.size(); length += 1 + text.size() / 1500) {
    const auto json = parse_json(text.substr(0, length), "new.json");
    ASSERT_FALSE(json.ok()) << length;
    SCOPED_TRACE(length);
    expect_sentence(json.error());
  }
}

TEST(Mutation, NeitherDepthNorNumbersOfAnySizeCrash) {
  const auto refusal = [](const std::string& value) {
    const auto json = parse_json("{\"muxbench\": " + value + "}", "new.json");
    EXPECT_FALSE(json.ok());
    if (json.ok()) return std::string();
    expect_sentence(json.error());
    return json.error().message;
  };
  EXPECT_THAT(refusal(std::string(200'000, '[') + std::string(200'000, ']')),
              HasSubstr("expected at most 100 brackets within one another"));
  EXPECT_THAT(refusal(std::string(200'000, '[')), HasSubstr("expected JSON"));
  EXPECT_THAT(refusal("1e999"), HasSubstr("found an error: number overflow parsing '1e999'"));
  EXPECT_TRUE(parse_json(std::string(100, '[') + std::string(100, ']'), "new.json").ok());
}

}  // namespace
}  // namespace muxbench
