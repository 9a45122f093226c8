#include "plan/cells.h"
#include "plan/extra_trials.h"
#include "plan/trial_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fixtures.h"

namespace muxbench {
namespace {

using testing::HasSubstr;

constexpr CellLimits kPlenty{.descriptors = 100'000};

struct Planned {
  std::vector<Model> models{fixtures::model("a"), fixtures::model("b"), fixtures::model("c")};
  std::vector<Experiment> experiments{fixtures::experiment("one", {{"connections", {1, 8, 64}}}),
                                      fixtures::experiment("two", {{"idle", {0, 100}}})};
  std::vector<Cell> cells = make_cells(models, experiments, kPlenty);

  std::vector<std::size_t> order(std::uint64_t seed) const {
    std::vector<std::size_t> order;
    for (const auto& trial : order_trials(cells, experiments, seed)) order.push_back(trial.cell);
    return order;
  }
};

TEST(MakeCells, GiveAPoolOfWorkersToModelsThatCanHaveOne) {
  std::vector<Model> models{fixtures::model("loop"), fixtures::model("pool"),
                            fixtures::model("one_each")};
  models[1].capabilities.workers = true;
  models[2].capabilities.workers = true;
  models[2].capabilities.one_client_per_worker = true;
  Experiment experiment = fixtures::experiment("e", {{"connections", {32}}});
  experiment.load.pool_workers = 16;
  const auto cells = make_cells(models, {experiment}, {.descriptors = 1000, .cpus = 1});
  ASSERT_EQ(cells.size(), 3U);
  for (const Cell& cell : cells) {
    EXPECT_FALSE(cell.skipped) << "as many workers as wanted, however few the CPUs";
    EXPECT_EQ(cell.settings.workers, (std::vector<std::uint64_t>{0, 16, 32}.at(cell.model)))
        << cell.id;
    EXPECT_EQ(cell.settings.pool_workers, 0U);
  }
}

TEST(OrderTrials, ABlockHoldsEveryCellOnce) {
  const Planned planned;
  ASSERT_EQ(planned.cells.size(), 15U);
  const auto trials = order_trials(planned.cells, planned.experiments, 1);
  ASSERT_EQ(trials.size(), 75U);
  for (std::size_t block = 0; block < 5; ++block) {
    std::set<std::size_t> cells;
    for (std::size_t i = 0; i < 15; ++i) {
      EXPECT_EQ(trials[block * 15 + i].repetition, block);
      cells.insert(trials[block * 15 + i].cell);
    }
    EXPECT_EQ(cells.size(), 15U);
  }
}

TEST(OrderTrials, CountingTrialsAreABlockAfterTheFirst) {
  const Planned planned;
  const auto all = order_trials(planned.cells, planned.experiments, 1, Counting::all_points);
  ASSERT_EQ(all.size(), 75U + 15U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].counting, i >= 15 && i < 30) << i;
  // The last point of 3 models in 2 experiments.
  EXPECT_EQ(counted_cells(planned.cells, Counting::last_points).size(), 6U);
  for (const std::size_t cell : counted_cells(planned.cells, Counting::last_points)) {
    EXPECT_THAT(planned.cells[cell].id, testing::AnyOf(HasSubstr(":64"), HasSubstr(":100/")));
  }
}

TEST(CountedCells, OfAModelThatCannotRunAtTheLastPointItIsTheOneBefore) {
  Planned planned;
  planned.models[0].capabilities.max_connections = 10;
  planned.cells = make_cells(planned.models, planned.experiments, kPlenty);
  std::set<std::string> ids;
  for (const std::size_t cell : counted_cells(planned.cells, Counting::last_points)) {
    ids.insert(planned.cells[cell].id);
  }
  EXPECT_TRUE(ids.contains("a/one/connections:8")) << *ids.begin();
  EXPECT_TRUE(counted_cells(planned.cells, Counting::none).empty());
}

TEST(CountedCells, AreNoneWhoseClientsNeverRead) {
  Planned planned;
  planned.cells = make_cells(planned.models, planned.experiments, kPlenty);
  const auto all = counted_cells(planned.cells, Counting::all_points);
  planned.cells[all.front()].settings.stall_never_read = 1;
  const auto others = counted_cells(planned.cells, Counting::all_points);
  EXPECT_EQ(others, std::vector(all.begin() + 1, all.end()));
}

std::vector<std::string> twins_of(Planned& planned) {
  planned.cells = make_cells(planned.models, planned.experiments, kPlenty);
  std::vector<std::string> ids;
  for (const std::size_t cell : twin_cells(planned.cells, planned.experiments, planned.models)) {
    ids.push_back(planned.cells[cell].id);
  }
  return ids;
}

TEST(TwinCells, AreTheLastPointsOfTheReference) {
  Planned planned;
  EXPECT_THAT(twins_of(planned),
              testing::ElementsAre("a/one/connections:64", "a/two/idle:100/connections:1"));
  planned.models[1].name = "epoll_level";
  EXPECT_THAT(twins_of(planned), testing::ElementsAre("epoll_level/one/connections:64",
                                                      "epoll_level/two/idle:100/connections:1"));
  const auto twins = twin_cells(planned.cells, planned.experiments, planned.models);
  const auto trials = order_trials(planned.cells, planned.experiments, 1, Counting::none, twins);
  ASSERT_EQ(trials.size(), 75U + 10U);
  for (unsigned block = 0; block < 5; ++block) {
    EXPECT_EQ(std::count_if(trials.begin(), trials.end(),
                            [&](const PlannedTrial& trial) {
                              return trial.twin && trial.repetition == block;
                            }),
              2);
  }
}

TEST(OrderTrials, TheSeedGivesTheOrder) {
  const Planned planned;
  EXPECT_EQ(planned.order(42), planned.order(42));
  EXPECT_NE(planned.order(42), planned.order(43));
}

TEST(OrderTrials, IsTheSameOnEveryStandardLibrary) {
  Planned planned;
  planned.experiments.pop_back();
  planned.experiments[0].repetitions = 1;
  planned.cells = make_cells(planned.models, planned.experiments, kPlenty);
  EXPECT_THAT(planned.order(42), testing::ElementsAre(2, 8, 4, 6, 1, 7, 5, 0, 3));
}

TEST(OrderTrials, BlocksDiffer) {
  const Planned planned;
  const auto order = planned.order(7);
  const std::vector<std::size_t> first(order.begin(), order.begin() + 15);
  const std::vector<std::size_t> second(order.begin() + 15, order.begin() + 30);
  EXPECT_NE(first, second);
}

TEST(OrderTrials, ExperimentsMayHaveFewerRepetitions) {
  Planned planned;
  planned.experiments[1].repetitions = 2;
  EXPECT_EQ(order_trials(planned.cells, planned.experiments, 1).size(), 9U * 5 + 6U * 2);
}

TEST(MakeCells, KeepsToTheModelsOfTheExperiment) {
  Planned planned;
  planned.experiments[1].models = "a,c*";
  EXPECT_EQ(make_cells(planned.models, planned.experiments, kPlenty).size(), 9U + 4U);
}

TEST(WhySkipped, SaysTheReason) {
  const auto experiment = fixtures::experiment("one", {{"connections", {1, 100}}});
  const LoadSettings hundred{.connections = 60, .idle = 40};
  const auto model = fixtures::model("a");
  EXPECT_FALSE(why_skipped(model, experiment, hundred, kPlenty).has_value());

  Model changed = model;
  changed.available = false;
  changed.reason = "no such kernel";
  EXPECT_EQ(*why_skipped(changed, experiment, hundred, kPlenty), "no such kernel");

  changed = model;
  changed.capabilities.concurrent = false;
  EXPECT_THAT(*why_skipped(changed, experiment, hundred, kPlenty),
              HasSubstr("one connection at a time, and this point has more"));
  EXPECT_FALSE(why_skipped(changed, experiment, {.connections = 1}, kPlenty).has_value());

  changed = model;
  changed.capabilities.max_connections = 99;
  EXPECT_THAT(*why_skipped(changed, experiment, hundred, kPlenty), HasSubstr("at most 99"));

  changed = model;
  changed.capabilities.protocols = {"greet", "http"};
  EXPECT_THAT(*why_skipped(changed, experiment, hundred, kPlenty),
              HasSubstr("does not speak echo, only greet, http"));

  EXPECT_THAT(*why_skipped(model, experiment, {.workers = 2}, kPlenty), HasSubstr("one worker"));
  changed = model;
  changed.capabilities.workers = true;
  EXPECT_FALSE(why_skipped(changed, experiment, {.workers = 2}, kPlenty).has_value());
  changed.capabilities.one_client_per_worker = true;
  EXPECT_THAT(*why_skipped(changed, experiment, {.connections = 3, .workers = 2}, kPlenty),
              HasSubstr("each of its 2 workers serves one client at a time"));
  EXPECT_THAT(*why_skipped(changed, experiment, {.workers = 8}, {.descriptors = 100, .cpus = 4}),
              HasSubstr("the server has 4 CPUs, and this point has 8 workers"));
  EXPECT_FALSE(why_skipped(model, experiment, {.workers = 1}, kPlenty).has_value());
  EXPECT_THAT(*why_skipped(model, fixtures::experiment("cores", {{"workers", {1}}}), {.workers = 1},
                           kPlenty),
              HasSubstr("one worker by its nature"));
  EXPECT_THAT(*why_skipped(model, experiment, {.work_child = 1}, kPlenty), HasSubstr("\"child\""));
  EXPECT_FALSE(why_skipped(model, experiment, {.work_spin_us = 5}, kPlenty).has_value());
  EXPECT_FALSE(why_skipped(model, experiment, {.work_sleep_us = 5}, kPlenty).has_value());
  EXPECT_THAT(*why_skipped(model, experiment, {.slow_worker_us = 5}, kPlenty),
              HasSubstr("no other can stand in for a slow one"));

  Experiment local = experiment;
  local.transport = "unix";
  EXPECT_THAT(*why_skipped(model, local, hundred, kPlenty), HasSubstr("only over tcp"));

  EXPECT_THAT(*why_skipped(model, experiment, hundred, {.descriptors = 163}),
              HasSubstr("need 164 descriptors in one process and the limit is 163"));
  EXPECT_FALSE(why_skipped(model, experiment, hundred, {.descriptors = 164}).has_value());
}

// One experiment in rounds beside one in trials, with a model that is measured in trials everywhere.
struct PlannedRounds : Planned {
  std::vector<std::size_t> twins;

  PlannedRounds() {
    models[1].name = "epoll_level";
    models[2].family = "process";
    experiments[0].method = Method::slices;
    cells = make_cells(models, experiments, {.descriptors = 100'000, .has_cgroup = false});
    twins = twin_cells(cells, experiments, models);
  }
  std::vector<PlannedTrial> trials(Counting counting = Counting::none) const {
    return order_trials(cells, experiments, 1, counting, twins);
  }
};

TEST(TwinCells, InSlicesAreOfTheReferenceAtEveryPoint) {
  PlannedRounds planned;
  std::vector<std::string> ids;
  for (const std::size_t cell : planned.twins) ids.push_back(planned.cells[cell].id);
  EXPECT_THAT(ids, testing::UnorderedElementsAre(
                       "epoll_level/one/connections:1", "epoll_level/one/connections:8",
                       "epoll_level/one/connections:64", "epoll_level/two/idle:100/connections:1",
                       "c/one/connections:64"));  // of those that have no rounds there
}

TEST(OrderTrials, ThePartsOfARoundStandTogether) {
  const PlannedRounds planned;
  const auto trials = planned.trials();
  // Five blocks: of one, 3 points of 2 models and a twin in rounds, 3 trials and a twin; of two, 6 and
  // a twin.
  ASSERT_EQ(trials.size(), 5U * (3 * 3 + 3 + 1 + 6 + 1));
  std::map<std::size_t, int> sizes;
  for (std::size_t i = 0; i < trials.size();) {
    const std::size_t end = end_of_round(trials, planned.cells, i);
    std::set<std::pair<std::size_t, bool>> parts;
    for (std::size_t part = i; part < end; ++part) {
      const Cell& cell = planned.cells[trials[part].cell];
      EXPECT_EQ(cell.method, end == i + 1 ? Method::trials : Method::slices);
      EXPECT_EQ(cell.point, planned.cells[trials[i].cell].point);
      EXPECT_EQ(trials[part].repetition, trials[i].repetition);
      parts.insert({trials[part].cell, trials[part].twin});
    }
    EXPECT_EQ(parts.size(), end - i) << "each part once";
    ++sizes[end - i];
    i = end;
  }
  EXPECT_THAT(sizes, testing::ElementsAre(testing::Pair(1U, 5 * 11), testing::Pair(3U, 5 * 3)));
}

TEST(OrderTrials, RoundsAreInAnotherOrderInEachBlock) {
  const PlannedRounds planned;
  const auto trials = planned.trials();
  std::set<std::vector<std::size_t>> orders;
  for (unsigned block = 0; block < 5; ++block) {
    std::vector<std::size_t> order;
    for (const PlannedTrial& trial : trials) {
      if (trial.repetition == block) order.push_back(trial.cell);
    }
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 5U);
}

TEST(OrderTrials, ARoundCountsAtItsEndOnceForEachCell) {
  const PlannedRounds planned;
  const auto trials = planned.trials(Counting::all_points);
  std::map<std::size_t, int> counted;
  for (const PlannedTrial& trial : trials) {
    const bool sliced = planned.cells[trial.cell].method == Method::slices;
    EXPECT_FALSE(trial.counted && (trial.twin || !sliced || trial.repetition > 0));
    EXPECT_FALSE(trial.counting && sliced);
    counted[trial.cell] += trial.counted || trial.counting ? 1 : 0;
  }
  ASSERT_EQ(counted.size(), planned.cells.size());
  for (const auto& [cell, times] : counted) EXPECT_EQ(times, 1) << planned.cells[cell].id;
}

TEST(ShuffleTrials, KeepsRoundsTogether) {
  const PlannedRounds planned;
  auto trials = planned.trials();
  const auto whole = trials.size();
  for (std::size_t cell = 0; cell < planned.cells.size(); ++cell) trials.push_back({cell, 5});
  shuffle_trials(trials, whole, planned.cells, 3);
  std::multiset<std::size_t> sizes;
  for (std::size_t i = whole; i < trials.size();) {
    const std::size_t end = end_of_round(trials, planned.cells, i);
    sizes.insert(end - i);
    i = end;
  }
  EXPECT_EQ(sizes.count(2), 3U) << "two models at three points";
  EXPECT_EQ(sizes.count(1), planned.cells.size() - 6);
}

TEST(TwinCells, OfAnOpenLoopAreTheFirstPointsNotTheOverload) {
  Planned planned;
  planned.experiments[0].mode = "open";
  EXPECT_THAT(twins_of(planned),
              testing::ElementsAre("a/one/connections:1", "a/two/idle:100/connections:1"));
  planned.models[2].name = "epoll_level";
  EXPECT_THAT(twins_of(planned), testing::Contains("epoll_level/one/connections:1"));
}

TEST(TwinCells, AreOfAnotherModelWhereTheReferenceCannotRun) {
  Planned planned;
  planned.models[1].name = "epoll_level";
  planned.experiments[0].models = "c";
  EXPECT_THAT(twins_of(planned), testing::ElementsAre("c/one/connections:64",
                                                      "epoll_level/two/idle:100/connections:1"));
}

}  // namespace
}  // namespace muxbench
