// A step of a run: a trial, or a round with all its parts. What it found goes into the record at once,
// or later from the journal, by the same way.
#pragma once

#include <map>
#include <vector>

#include "run/record.h"
#include "run/run_round.h"

namespace muxbench {

enum class TrialKind { trial, counting, twin };

struct Outcome {
  TrialKind kind = TrialKind::trial;
  TrialResult result;
};

struct Step {
  std::size_t place = 0;  // in the order, of its first trial
  Nanoseconds ended{};    // since the run began
  RoundTime took;         // of a round
  std::vector<Outcome> outcomes;
};

// Counts failures of a model's server in a row, and gives up on it.
class Patience {
 public:
  void learn(RunRecord& record, const TrialResult& result);

 private:
  std::map<std::size_t, int> failures_;
};

void add_step(RunRecord& record, Patience& patience, Step step);

bool all_ok(const Step& step);

}  // namespace muxbench
