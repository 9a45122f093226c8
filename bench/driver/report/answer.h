// What a report says to someone who has to choose a model: for each question the models to take,
// those to avoid, and how far the machine's figures can be trusted.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "json/json.h"
#include "report/point.h"

namespace muxbench::report {

// A model's value, in the metric's unit, and its ratio to the reference with its 95 % interval.
struct AnswerEntry {
  std::string model;
  double value = 0;
  double ratio = 1;
  double low = 1;
  double high = 1;
};

// Models that have no value for one reason: "it serves at most 1008 connections, ...".
struct AnswerUnable {
  std::string reason;
  std::vector<std::string> models;
};

struct AnswerRow {
  std::string question;    // "many idle connections"
  std::string experiment;  // that asks it
  bool measured = false;   // the report has the experiment
  // Empty where no two models could be ranked.
  std::string where;  // "idle 2000"
  std::string metric;
  std::string reference;  // a model
  Point point;
  // Cannot be told apart, and are within a quarter of each other; the first one is recommended.
  std::vector<AnswerEntry> best;
  // Behind these by less than half, or by more and not beyond doubt.
  std::vector<AnswerEntry> between;
  std::vector<AnswerEntry> avoid;  // behind by half or more; the worst one first
  std::vector<AnswerUnable> unable;

  bool decided() const { return !best.empty(); }
};

// How well CPU time per request is known, as shares: 0.03 is 3 %. Nothing where it is not known.
struct Trust {
  std::size_t cells = 0;                     // beside the reference
  std::optional<double> half_width_of_half;  // half of the cells are known to this or better
  std::optional<double> half_width_of_most;  // nine in ten
  std::optional<double> twins_apart;         // the same server measured twice, at most
  std::optional<double> host_change;         // of the host's speed while a point was measured
};

struct Answer {
  Trust trust;
  std::vector<AnswerRow> rows;
};

Json answer_json(const Answer& answer);
// Of a report that was checked against the schema.
Answer read_answer(const Json& json);

}  // namespace muxbench::report
