// The parts that findings are made of; only findings*.cpp include this.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "analysis/report_view.h"

namespace muxbench {

struct Conclusions {
  Json findings = Json::array();
  Json fits = Json::array();
  Json crossovers = Json::array();

  // An empty experiment: about the run. An empty metric: about no one metric.
  void say(const std::string& kind, const std::string& experiment, const std::string& metric,
           const std::string& text);
};

// Measured, clean, and with trials enough to be ranked by that metric.
bool can_rank(const CellView* cell, const std::string& metric);

void say_best(const ExperimentView& experiment, Conclusions& into);
// Where models lose to epoll_level, and what each idle connection costs.
void say_crossovers(const ExperimentView& experiment, Conclusions& into);
void say_slopes(const ExperimentView& experiment, Conclusions& into);
void say_counts(const ExperimentView& experiment, Conclusions& into);
// How far the same server under two names was from itself.
void say_noise_floor(const Json& report, Conclusions& into);
// What was flagged, skipped, failed or missed, and why.
void say_remarks(const ExperimentView& experiment, Conclusions& into);

}  // namespace muxbench
