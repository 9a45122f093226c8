// How far the run is: a bar with an estimate on a terminal, a line per tenth elsewhere.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.h"

namespace muxbench {

class Progress {
 public:
  Progress(std::size_t trials, bool quiet);
  ~Progress();

  // `done` trials are over, and the next one is `next`. `left` is an estimate.
  void update(std::size_t done, Nanoseconds left, const std::string& next);
  // A sentence that stays, above the bar.
  void say(const std::string& sentence);

 private:
  void clear();

  std::size_t trials_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::size_t tenths_ = 0;
};

}  // namespace muxbench
