// What a journal keeps comes back as it was.
#include "run/journal.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "fixtures.h"
#include "run/record_fields.h"
#include "run/trial_json.h"
#include "trial/trial_fields.h"

namespace muxbench {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

RunRecord record() {
  RunRecord record = fixtures::record({100e3, 101.5e3}, {90e3});
  record.backends = {{.name = "bpf", .reason = "", .self_test = SelfTest{1000, 1000}}};
  return record;
}

TrialResult copy_of(const TrialResult& trial) {
  const std::string text = to_fields(trial).dump();
  return from_fields<TrialResult>(Json::parse(text));
}

void expect_same(const TrialResult& trial) {
  const RunRecord of = record();
  EXPECT_EQ(trial_json(of, copy_of(trial)), trial_json(of, trial));
  EXPECT_EQ(to_fields(copy_of(trial)), to_fields(trial));
}

TEST(TrialFields, ATrial) {
  TrialResult trial = fixtures::trial(1, 2, 1e5 / 3);
  trial.order = 7;
  trial.started = 5s;
  trial.took = 1234567891ns;
  trial.cpu->split = CpuTime{1ns, 2ns};
  trial.memory->resident_peak_bytes = 5;
  trial.process_bytes_per_connection = 1.0 / 3;
  trial.server_waited = 3ns;
  trial.not_accepted = 4;
  trial.worker_requests = {7, 0, 3};
  trial.stop_error = "it did not stop";
  expect_same(trial);
  EXPECT_EQ(copy_of(trial).load.requests, trial.load.requests);
  EXPECT_EQ(copy_of(trial).load.thread_utilisation, trial.load.thread_utilisation);
}

TEST(TrialFields, ARoundWithSlices) {
  TrialResult round = fixtures::trial(0, 0, 1e5);
  round.slice_plan = {.warmup = 1ms, .length = 5ms, .blocks = 22};
  round.slices = {{.block = 3,
                   .started = 1s,
                   .took = 6ms,
                   .requests = 500,
                   .elapsed_ns = 5.1e6,
                   .requests_per_second = 1e5 / 7,
                   .latency = {.buckets = {{10000ns, 499}, {2000000ns, 1}},
                               .sum = 7000000,
                               .min = 10001ns,
                               .max = 2000100ns},
                   .requests_in_run = 510,
                   .server_cpu = {.total = 4ms, .split = {}, .source = "a test"},
                   .disturbed = true}};
  expect_same(round);
}

TEST(TrialFields, OneThatFailed) {
  TrialResult failed;
  failed.server_failed = true;
  failed.error = "the server was gone";
  expect_same(failed);
  EXPECT_EQ(copy_of(failed).load.status, "failed");
}

TEST(TrialFields, ACountedOne) {
  TrialResult counted = fixtures::trial(0, 0, 1e5);
  counted.counts =
      SyscallCounts{.calls = {{"read", {.calls = 5, .again = 1, .errors = {}, .result_sum = 320}}},
                    .total_calls = 6,
                    .ring_operations = std::map<std::string, std::uint64_t>{{"recv", 3}},
                    .ring_completions = 3,
                    .voluntary_switches = 2,
                    .involuntary_switches = 1};
  expect_same(counted);
  counted.counts->ring_operations.reset();
  counted.counts->ring_completions.reset();
  expect_same(counted);
}

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::string path = testing::TempDir() + "journal-XXXXXX";
    folder_ = ::mkdtemp(path.data());
  }
  ~JournalTest() override { std::filesystem::remove_all(folder_); }

  // Of one trial each, of the record's.
  Step step(std::size_t place) const {
    Step step{.place = place, .ended = std::chrono::seconds(place + 1), .took = {1ns, 2ns, 3ns}};
    step.outcomes.push_back({TrialKind::trial, record_.trials[place]});
    return step;
  }
  void write(std::size_t steps) {
    RunRecord plan = record_;
    plan.trials.clear();
    auto journal = Journal::create(folder_, plan, {{.cell = 1, .repetition = 2}});
    ASSERT_TRUE(journal) << journal.error().message;
    for (std::size_t i = 0; i < steps; ++i) ASSERT_TRUE(journal->note(step(i)));
  }
  void append(const std::string& text) {
    std::ofstream(folder_ + "/journal.jsonl", std::ios::app) << text;
  }

  RunRecord record_ = record();
  std::string folder_;
};

TEST_F(JournalTest, HasThePlanAndWhatFinished) {
  write(3);
  const auto journal = Journal::reopen(folder_);
  ASSERT_TRUE(journal) << journal.error().message;
  const RunRecord found = recorded(journal->content());
  EXPECT_TRUE(found.interrupted);
  EXPECT_EQ(found.finished, record_.started + 3s);
  EXPECT_EQ(journal->content().order.size(), 1U);
  EXPECT_EQ(journal->content().order[0].repetition, 2U);
  EXPECT_EQ(journal->content().steps.at(0).took.counting, 3ns);
  record_.interrupted = true;
  record_.finished = found.finished;
  EXPECT_EQ(fixtures::report_json(found), fixtures::report_json(record_));
  EXPECT_TRUE(check_same(journal->content(), journal->content().record, journal->content().order));
}

TEST_F(JournalTest, ATornLineDoesNotCountAndIsOverwritten) {
  write(2);
  append("{\"step\": {\"pl");
  {
    auto journal = Journal::reopen(folder_);
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ(journal->content().steps.size(), 2U);
    ASSERT_TRUE(journal->note(step(2)));
  }
  const auto journal = Journal::reopen(folder_);
  ASSERT_TRUE(journal) << journal.error().message;
  EXPECT_EQ(journal->content().steps.size(), 3U);
}

TEST_F(JournalTest, OfTwoLinesOfAPlaceTheLastCounts) {
  write(2);
  {
    auto journal = Journal::reopen(folder_);
    Step again = step(0);
    again.outcomes[0].result.error = "again";
    ASSERT_TRUE(journal->note(again));
    ASSERT_TRUE(journal->note_cut(5, {0, 2}));
  }
  auto journal = Journal::reopen(folder_);
  ASSERT_TRUE(journal) << journal.error().message;
  EXPECT_EQ(journal->content().cuts.at(5), (std::set<std::size_t>{0, 2}));
  const auto steps = journal->take_steps();
  EXPECT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps.at(0).outcomes[0].result.error, "again");
}

TEST_F(JournalTest, IsOfOneRunAtATime) {
  write(1);
  auto journal = Journal::reopen(folder_);
  ASSERT_TRUE(journal);
  EXPECT_THAT(Journal::reopen(folder_).error().message, HasSubstr("goes on"));
  EXPECT_THAT(Journal::create(folder_, record_, {}).error().message, HasSubstr("goes on"));
  journal->remove();
  EXPECT_THAT(Journal::reopen(folder_).error().message, HasSubstr("there is no journal.jsonl"));
}

TEST_F(JournalTest, RefusesWhatIsNoJournal) {
  write(1);
  EXPECT_THAT(Journal::create(folder_, record_, {}).error().message, HasSubstr("unfinished run"));
  append("{\"step\": {\"place\": 1, \"outcomes\": [{\"result\": {\"cell\": 99}}]}}\n");
  EXPECT_THAT(Journal::reopen(folder_).error().message, HasSubstr("line 3 is not of a journal"));
  std::filesystem::resize_file(folder_ + "/journal.jsonl", 9);
  EXPECT_THAT(Journal::reopen(folder_).error().message, HasSubstr("has no plan"));
  EXPECT_TRUE(Journal::create(folder_, record_, {}));
}

TEST_F(JournalTest, NamesWhatDiffers) {
  write(1);
  const auto journal = Journal::reopen(folder_);
  const JournalContent& content = journal->content();
  RunRecord other = content.record;
  other.host["kernel"] = "Linux 7.0";
  EXPECT_THAT(check_same(content, other, content.order).error().message,
              HasSubstr("(host: kernel: "));
  other = content.record;
  other.models[1].description["sha256"] = "abc";
  EXPECT_THAT(check_same(content, other, content.order).error().message,
              HasSubstr("(server b: sha256: "));
  EXPECT_THAT(check_same(content, content.record, {}).error().message,
              HasSubstr("plan: order of the trials"));
}

}  // namespace
}  // namespace muxbench
