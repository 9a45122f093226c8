// How far the run is: a bar with an estimate on a terminal, a line per tenth elsewhere.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.h"

namespace muxbench {

class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress();

  // `done` of `trials` are over, and the next one is `next`. `left` is an estimate.
  void update(std::size_t done, std::size_t trials, Nanoseconds left, const std::string& next);
  // A sentence that stays, above the bar.
  void say(const std::string& sentence);

 private:
  void clear();

  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::size_t tenths_ = 0;
};

}  // namespace muxbench
