// The parts that findings are made of; only findings*.cpp include this.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "analysis/noise_floor.h"
#include "report/report.h"

namespace muxbench {

// An empty experiment: about the run. An empty metric: about no one metric.
void say(report::Conclusions& into, const std::string& kind, const std::string& experiment,
         std::string_view metric, const std::string& text);

// Measured, clean, and with trials enough to be ranked by that metric.
bool can_rank(const report::Cell* cell, std::string_view metric);

// Those of a cell that can be ranked.
const std::vector<double>& trials_of(const report::Cell& cell, std::string_view metric);

void say_best(const report::Experiment& experiment, const NoiseFloor& floor,
              report::Conclusions& into);
// Where models lose to epoll_level, and what each idle connection costs.
void say_crossovers(const report::Experiment& experiment, const NoiseFloor& floor,
                    report::Conclusions& into);
void say_slopes(const report::Experiment& experiment, report::Conclusions& into);
void say_counts(const report::Experiment& experiment, report::Conclusions& into);
// How far the same server under two names was from itself.
void say_noise_floor(const report::Report& report, const std::vector<TwinRatio>& twins,
                     report::Conclusions& into);
// What was flagged, skipped, failed or missed, and why.
void say_remarks(const report::Experiment& experiment, report::Conclusions& into);

}  // namespace muxbench
