#include "plan/experiment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures.h"

namespace muxbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Json good() {
  return Json::parse(R"({
    "name": "idle", "question": "What does watching cost?", "protocol": "echo", "transport": "tcp",
    "load": {"mode": "closed", "connections": 100, "message_bytes": 64},
    "sweep": {"idle": [0, 100, 1000, 8000]}, "warmup": "0.3s", "duration": "1s", "repetitions": 5,
    "models": "*", "profiles": {"smoke": {"sweep": {"idle": [0, 10]}, "repetitions": 1}}})");
}

std::string error_of(const std::string& text) {
  const auto parsed = parse_experiment(text, "idle.json");
  if (parsed) return "it was accepted";
  EXPECT_EQ(parsed.error().exit, Exit::usage);
  return parsed.error().message;
}

TEST(ParseExperiment, ReadsAWholeFile) {
  const auto experiment = parse_experiment(good().dump(), "idle.json");
  ASSERT_TRUE(experiment.ok()) << experiment.error().message;
  EXPECT_EQ(experiment->name, "idle");
  EXPECT_EQ(experiment->load.connections, 100U);
  EXPECT_EQ(experiment->warmup, std::chrono::milliseconds(300));
  EXPECT_EQ(experiment->duration, std::chrono::seconds(1));
  EXPECT_EQ(experiment->repetitions, 5U);
  EXPECT_THAT(experiment->sweep.at(0).values, ElementsAre(0, 100, 1000, 8000));
}

TEST(ParseExperiment, TheMethodIsTheUsualOneUnlessTold) {
  Json json = good();
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->method, std::nullopt);
  json["method"] = "slices";
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->method, Method::slices);
  json["method"] = "trials";
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->method, Method::trials);
}

TEST(ParseExperiment, AProfileMayLeaveItOut) {
  Json json = good();
  json["profiles"]["quick"] = {{"run", "named"}};
  const auto experiment = parse_experiment(json.dump(), "idle.json");
  ASSERT_TRUE(experiment.ok()) << experiment.error().message;
  EXPECT_TRUE(experiment->is_only_if_named("quick"));
  EXPECT_FALSE(experiment->is_only_if_named("smoke"));
  EXPECT_FALSE(experiment->is_only_if_named("full"));
}

TEST(ParseExperiment, SaysFileKeyAndExpectation) {
  struct Case {
    const char* pointer;
    Json value;
    const char* said;
  };
  for (const Case& c :
       {Case{"/metric", "speed",
             "idle.json: metric: expected one of requests_per_second, latency_mean_ns, "
             "latency_p50_ns, latency_p99_ns, server_cpu_ns_per_request, server_memory_bytes, "
             "server_bytes_per_connection, "
             "found \"speed\""},
        Case{"/colour", "red", "idle.json: colour: expected one of the keys"},
        Case{"/name", "Idle!", "idle.json: name: expected lower-case letters"},
        Case{"/question", "", "idle.json: question: expected a text that is not empty, found \"\""},
        Case{"/protocol", 5, "idle.json: protocol: expected a text that is not empty, found 5"},
        Case{"/method", "rounds",
             "idle.json: method: expected \"slices\" or \"trials\", found \"rounds\""},
        Case{"/profiles/smoke/run", "never",
             "idle.json: profiles: smoke: run: expected \"always\" or \"named\""},
        Case{"/transport", "udp", "idle.json: transport: expected \"tcp\" or \"unix\""},
        Case{"/duration", "0", "idle.json: duration: expected a duration above 0, found \"0\""},
        Case{"/warmup", "soon", "idle.json: warmup: expected a duration such as"},
        Case{"/repetitions", 2.5, "idle.json: repetitions: expected a whole number from 1 to 1000"},
        Case{"/repetitions", -1, "idle.json: repetitions: expected a whole number from 1 to 1000"},
        Case{"/load", "none", "idle.json: load: expected an object, found \"none\""},
        Case{"/load/mode", "half", "idle.json: load: mode: expected \"closed\" or \"open\""},
        Case{"/load/mode", "open",
             "idle.json: load: mode: expected a rate above 0 for an open loop"},
        Case{"/load/rate", 1000, "idle.json: load: mode: expected \"open\" for a load with a rate"},
        Case{"/sweep/rate", Json::array({5, 6}),
             "idle.json: load: mode: expected \"open\" for a load with"},
        Case{"/profiles/smoke/sweep/rate", Json::array({5}),
             "idle.json: profiles: smoke: load: mode: expected \"open\" for"},
        Case{"/load/churn", 2, "idle.json: load: churn: expected a whole number from 0 to 1"},
        Case{"/load/idel", 1, "idle.json: load: idel: expected one of the keys"},
        Case{"/sweep", Json::object(), "idle.json: sweep: expected at least one key"},
        Case{"/sweep/idle", Json::array(), "idle.json: sweep: idle: expected a list of whole"},
        Case{"/sweep/idle", {5, 5}, "idle.json: sweep: idle: expected each value once"},
        Case{"/sweep/idle", {"cpus"}, "idle.json: sweep: idle: expected a list of whole"},
        Case{"/sweep/workers",
             {"all"},
             "idle.json: sweep: workers: expected a list of whole numbers from 0 to 4096 or "
             "\"cpus\", found [\"all\"]"},
        Case{"/sweep/colour", {1}, "idle.json: sweep: colour: expected one of the keys"},
        Case{"/profiles/fast", Json::object(), "idle.json: profiles: fast: expected one of"},
        Case{"/profiles/smoke/name", "x", "idle.json: profiles: smoke: name: expected one of"}}) {
    Json json = good();
    json[Json::json_pointer(c.pointer)] = c.value;
    EXPECT_THAT(error_of(json.dump()), StartsWith(c.said)) << c.pointer;
  }
}

TEST(ParseExperiment, RefusesMoreCombinationsThanCanBeListed) {
  Json json = good();
  json["load"] = {{"mode", "closed"}};
  Json values = Json::array();
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  json["sweep"] = {{"connections", values}, {"pipeline", values}};
  EXPECT_EQ(error_of(json.dump()), "it was accepted");
  json["sweep"]["churn"] = {0, 1};
  EXPECT_THAT(error_of(json.dump()), StartsWith("idle.json: sweep: expected at most 10000 "
                                                "combinations of values, found more"));
}

TEST(ParseExperiment, SaysEachMistakeOnOneLine) {
  for (const char* place : {"", "/sweep", "/profiles", "/load"}) {
    Json json = good();
    json[Json::json_pointer(place)]["a\nb"] = {1};
    EXPECT_THAT(error_of(json.dump()), HasSubstr("a\\nb: expected one of")) << place;
  }
  EXPECT_THAT(error_of(R"({"a\nb": 1, "a\nb": 2})"), HasSubstr("a\\nb: expected each key once"));
}

TEST(ParseExperiment, IsAnsweredByCpuTimeInSlicesAndByThroughputInTrials) {
  Json json = good();
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->metric, "server_cpu_ns_per_request");
  json["method"] = "trials";
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->metric, "requests_per_second");
  json["metric"] = "server_memory_bytes";
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->metric, "server_memory_bytes");
  json.erase("metric");
  json["load"]["mode"] = "open";
  json["load"]["rate"] = 1000;
  EXPECT_EQ(parse_experiment(json.dump(), "idle.json")->metric, "latency_p99_ns");
  json["metric"] = "requests_per_second";
  EXPECT_THAT(error_of(json.dump()), StartsWith("idle.json: metric: expected another than the "
                                                "throughput of an open loop, whose rate is given"));
}

TEST(ParseExperiment, NamesMissingKeys) {
  for (const char* key :
       {"name", "question", "protocol", "load", "sweep", "warmup", "duration", "repetitions"}) {
    Json json = good();
    json.erase(key);
    EXPECT_THAT(error_of(json.dump()), testing::AllOf(StartsWith(std::string("idle.json: ") + key),
                                                      HasSubstr("found no such key")));
  }
}

TEST(ParseExperiment, RefusesWhatIsNotJson) {
  EXPECT_THAT(error_of("{\"name\": "), HasSubstr("expected JSON, found an error at line 1"));
  EXPECT_THAT(error_of("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(error_of(R"({"name": "a", "name": "b"})"), HasSubstr("name: expected each key once"));
}

TEST(Experiment, AProfileChangesOnlyWhatItNames) {
  const auto experiment = parse_experiment(good().dump(), "idle.json");
  ASSERT_TRUE(experiment.ok());
  const Experiment smoke = with_profile(*experiment, "smoke");
  EXPECT_THAT(smoke.sweep.at(0).values, ElementsAre(0, 10));
  EXPECT_EQ(smoke.repetitions, 1U);
  EXPECT_EQ(smoke.duration, experiment->duration);
  EXPECT_EQ(with_profile(*experiment, "full").repetitions, 5U);
}

TEST(Experiment, PointsAreTheProductOfTheSweeps) {
  const auto experiment =
      fixtures::experiment("both", {{"idle", {0, 10}}, {"message_bytes", {1, 2}}});
  std::vector<std::string> ids;
  for (const Point& point : points_of(experiment)) ids.push_back(cell_id("m", experiment, point));
  EXPECT_THAT(ids, ElementsAre("m/both/idle:0/message_bytes:1/connections:1",
                               "m/both/idle:0/message_bytes:2/connections:1",
                               "m/both/idle:10/message_bytes:1/connections:1",
                               "m/both/idle:10/message_bytes:2/connections:1"));
}

TEST(Experiment, WorkersAreSweptUpToTheCpusOfTheServer) {
  Json json = good();
  json["sweep"] = {{"workers", {1, 2, 6, "cpus"}}};
  const auto experiment = parse_experiment(json.dump(), "cores.json");
  ASSERT_TRUE(experiment.ok()) << experiment.error().message;
  EXPECT_EQ(format_values(experiment->sweep[0]), "1, 2, 6, cpus");
  EXPECT_TRUE(experiment->sweep[0].values.back() == AllCpus{});
  EXPECT_EQ(Json(experiment->sweep[0].values), Json::parse(R"([1, 2, 6, "cpus"])"));
  const auto on = [&](std::uint64_t cpus, std::string& note) {
    return for_cpus(*experiment, cpus, note).sweep[0].values;
  };
  std::string note;
  EXPECT_THAT(on(4, note), ElementsAre(1, 2, 4));
  EXPECT_EQ(note,
            "Experiment idle: the server has 4 CPUs, so points of more workers are left out (6; "
            "--server-cpus gives it more); "
            "models that have one worker by their nature take no part.");
  EXPECT_THAT(on(1, note), ElementsAre(1));
  EXPECT_THAT(
      note,
      HasSubstr(
          "the server has 1 CPU, so points of more workers are left out (2, 6; --server-cpus "));
  EXPECT_THAT(on(6, note), ElementsAre(1, 2, 6));
  EXPECT_THAT(note, HasSubstr("the server has 6 CPUs; models"));
  EXPECT_THAT(on(9, note), ElementsAre(1, 2, 6, 9));

  // Nothing would be left: the points say themselves why they cannot run.
  const auto many = fixtures::experiment("many", {{"workers", {2, 4}}});
  EXPECT_THAT(for_cpus(many, 1, note).sweep[0].values, ElementsAre(2, 4));
  note.clear();
  for_cpus(fixtures::experiment("other", {{"idle", {8}}}), 1, note);
  EXPECT_EQ(note, "");
}

TEST(Experiment, ThinningKeepsTheEnds) {
  const auto experiment = fixtures::experiment("idle", {{"idle", {0, 1, 2, 3, 4, 5, 6}}});
  EXPECT_THAT(thinned(experiment, 2).sweep[0].values, ElementsAre(0, 6));
  EXPECT_THAT(thinned(experiment, 3).sweep[0].values, ElementsAre(0, 3, 6));
  EXPECT_THAT(thinned(experiment, 4).sweep[0].values, ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(thinned(experiment, 7).sweep[0].values, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(thinned(experiment, 9).sweep[0].values, ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(ArgumentsOf, TellOnlyWhatIsAskedFor) {
  const LoadSettings plain{.connections = 8};
  EXPECT_THAT(arguments_of(plain, Side::load), ElementsAre("--connections", "8", "--idle", "0"));
  EXPECT_THAT(arguments_of(plain, Side::server), testing::IsEmpty());
  const LoadSettings busy{.message_bytes = 32,
                          .rate = 5000,
                          .churn = 1,
                          .stall_never_read = 3,
                          .workers = 4,
                          .work_spin_us = 20};
  EXPECT_THAT(arguments_of(busy, Side::load),
              ElementsAre("--connections", "1", "--idle", "0", "--message-bytes", "32", "--rate",
                          "5000", "--churn", "--stall-never-read", "3"));
  EXPECT_THAT(arguments_of(busy, Side::server),
              ElementsAre("--workers", "4", "--work", "spin:20us"));
  EXPECT_THAT(arguments_of({.work_child = 1}, Side::server), ElementsAre("--work", "child"));
  EXPECT_THAT(
      arguments_of({.workers = 4, .work_sleep_us = 500, .slow_worker_us = 30}, Side::server),
      ElementsAre("--workers", "4", "--work", "sleep:500us", "--slow-worker", "30us"));
  EXPECT_EQ(busy.all_connections(), 4U);
}

}  // namespace
}  // namespace muxbench
