// The parts that findings are made of; only findings*.cpp include this.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "analysis/noise_floor.h"
#include "analysis/paired_slices.h"
#include "analysis/verdict.h"
#include "report/report.h"

namespace muxbench {

// What findings rest on beside the cells.
struct Basis {
  PairedSlices slices;
  NoiseFloor floor;
};

// An empty experiment: about the run. An empty metric: about no one metric.
void say(report::Conclusions& into, const std::string& kind, const std::string& experiment,
         std::string_view metric, const std::string& text);

// Measured, clean, and with slices or trials enough to be ranked by that metric.
bool can_rank(const report::Cell* cell, std::string_view metric);

// Of a cell that can be ranked: its trials, or its rounds.
const std::vector<double>& trials_of(const report::Cell& cell, std::string_view metric);

// By the rule of findings, on `now`, for one of so many comparisons. Both cells can be ranked.
Verdict verdict_between(const Basis& basis, const report::Cell& base, const report::Cell& now,
                        const Metric& metric, std::size_t comparisons);
// How many times as much `now` is as the base: by pairs of slices, otherwise by medians.
double factor_between(const Basis& basis, const report::Cell& base, const report::Cell& now,
                      const Metric& metric);

struct Candidate {
  const report::Cell* cell;
  double value;  // by which it is ranked
};
// All that can be ranked by the metric there, the best one first. The value is the median over
// trials. Of slices that would compare seconds in which the host was fast with others: it is the
// reference's median, times the ratio to it.
std::vector<Candidate> candidates_at(const report::Experiment& experiment, const Point& point,
                                     const Metric& metric, const Basis& basis);

// The answer of all experiments; the conclusions have the host's states already.
report::Answer answer_of(const report::Report& report, const Basis& basis,
                         const report::Conclusions& conclusions);

void say_best(const report::Experiment& experiment, const Basis& basis, report::Conclusions& into);
// Where models lose to epoll_level, and what each idle connection costs.
void say_crossovers(const report::Experiment& experiment, const Basis& basis,
                    report::Conclusions& into);
void say_slopes(const report::Experiment& experiment, report::Conclusions& into);
void say_counts(const report::Experiment& experiment, report::Conclusions& into);
// How far the same server under two names was from itself.
void say_noise_floor(const report::Report& report, const std::vector<TwinRatio>& twins,
                     report::Conclusions& into);
// Where models stand otherwise beside the reference at one speed of the host than at another.
void say_host_states(const report::Experiment& experiment, const Basis& basis,
                     report::Conclusions& into);
// What was flagged, skipped, failed or missed, and why.
void say_remarks(const report::Experiment& experiment, report::Conclusions& into);

}  // namespace muxbench
