// Reports of runs that measured in slices, made without one.
#pragma once

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fixtures.h"

namespace muxbench::fixtures {

struct SlicedModel {
  double cpu_ns = 9000;      // a request's, while the host is fast
  double rate = 100e3;       // likewise
  double slow_factor = 1.5;  // CPU time while it is slow, to that while it is fast
};

struct SlicedRun {
  std::string experiment = "load";
  // The first one that is called epoll_level is the reference, and has a twin.
  std::vector<std::pair<std::string, SlicedModel>> models{{"epoll_level", {}}, {"poll", {}}};
  std::vector<SweepValue> points{8};  // connections
  unsigned rounds = 3;
  std::uint64_t blocks = 24;     // of a round
  std::uint64_t slow_from = 24;  // from which block on the host is slow
  double host = 1;               // how slow it is in all of the run
  double noise = 0.02;           // of a slice
  double disturbed = 0.1;        // the share of such slices, which have half the rate
  unsigned seed = 1;
};

class SlicedReport {
 public:
  explicit SlicedReport(const SlicedRun& run) : run_(run), dice_(run.seed) {}

  report::Report make() {
    RunRecord record = fixtures::record({}, {});
    record.models.clear();
    for (const auto& [name, model] : run_.models) record.models.push_back(fixtures::model(name));
    record.experiments = {experiment(run_.experiment, {{"connections", run_.points}})};
    record.cells = make_cells(record.models, record.experiments, {.descriptors = 100'000});
    for (std::size_t i = 0; i < record.cells.size(); ++i) {
      for (unsigned round = 0; round < run_.rounds; ++round) {
        const SlicedModel& model = run_.models[record.cells[i].model].second;
        record.trials.push_back(round_of(record.cells[i], i, round, model.rate / run_.host));
        if (record.models[record.cells[i].model].name == "epoll_level") {
          record.twin_trials.push_back(record.trials.back());
        }
      }
    }
    record.planned_trials = record.trials.size();
    report::Report report = make_report(record);
    draw_host(report);
    for (auto* trials : {&report.trials, &report.twin_trials}) {
      for (report::Trial& trial : *trials) slice(trial, model_of(trial.cell));
    }
    for (report::Experiment& experiment : report.experiments) {
      for (report::Cell& cell : experiment.cells) mark_sliced(cell);
    }
    for (report::Cell& twin : report.twins) mark_sliced(twin);
    add_relative(report);
    report.conclusions = conclude(report);
    return report;
  }

 private:
  static void mark_sliced(report::Cell& cell) {
    cell.method = report::kSlices;
    cell.undisturbed = {50, 72};
  }

  static TrialResult round_of(const Cell& cell, std::size_t place, unsigned round, double rate) {
    TrialResult result = trial(place, round, rate);
    const auto connections = cell.settings.connections;
    edit(result)["asked"]["connections"] = connections;
    edit(result)["achieved"]["connections"] = connections;
    edit(result)["latency_ns"]["mean"] =
        static_cast<std::uint64_t>(static_cast<double>(connections) * 1e9 / rate);
    return result;
  }

  const SlicedModel& model_of(const std::string& cell) const {
    const std::string name = cell.substr(0, cell.find('/'));
    for (const auto& [model, values] : run_.models) {
      if (model == name) return values;
    }
    throw std::runtime_error("no model " + name);
  }

  // The speed of each block, the same for all models of a point.
  void draw_host(const report::Report& report) {
    std::normal_distribution<double> normal;
    for (const report::Cell& cell : report.experiments.front().cells) {
      for (unsigned round = 0; round < run_.rounds; ++round) {
        for (std::uint64_t block = 0; block < run_.blocks; ++block) {
          speeds_[place_of(cell.id)][round].push_back(run_.host * std::exp(0.02 * normal(dice_)));
        }
      }
    }
  }

  static std::string place_of(const std::string& cell) { return cell.substr(cell.find('/')); }

  void slice(report::Trial& trial, const SlicedModel& model) {
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> uniform;
    report::Slices slices{.length_ns = 5'000'000, .warmup_ns = 1'000'000};
    const double instance = std::exp(0.003 * normal(dice_));
    const auto count = [](double value) { return static_cast<std::uint64_t>(value); };
    for (std::uint64_t block = 0; block < run_.blocks; ++block) {
      const double slow = block >= run_.slow_from ? model.slow_factor : 1;
      const double cost = slow * instance * std::exp(run_.noise * normal(dice_)) *
                          speeds_[place_of(trial.cell)][trial.repetition][block];
      const bool disturbed = uniform(dice_) < run_.disturbed;
      const double rate = model.rate / cost / (disturbed ? 2 : 1);
      slices.block.push_back(block);
      slices.started_ns.push_back((trial.repetition * 1000 + block) * 10'000'000);
      slices.requests.push_back(count(rate * 5e-3));
      slices.elapsed_ns.push_back(5'000'000);
      slices.requests_in_run.push_back(600);
      slices.server_cpu_ns.push_back(count(600 * model.cpu_ns * cost));
      slices.latency_mean_ns.push_back(count(8e9 / rate));
      slices.latency_p50_ns.push_back(count(7e9 / rate));
      slices.latency_p99_ns.push_back(std::nullopt);
      slices.disturbed.push_back(disturbed ? 1 : 0);
    }
    trial.method = report::kSlices;
    trial.json["method"] = report::kSlices;
    trial.json["slices"] = report::to_json(slices);
    trial.slices = std::move(slices);
  }

  SlicedRun run_;
  std::mt19937_64 dice_;
  std::map<std::string, std::map<std::uint64_t, std::vector<double>>> speeds_;
};

inline report::Report sliced_report(const SlicedRun& run) { return SlicedReport(run).make(); }

// As in its file.
inline Json sliced_json(const SlicedRun& run) {
  return Json::parse(to_text(to_json(sliced_report(run))));
}

}  // namespace muxbench::fixtures
