// How far the run is: a bar with an estimate on a terminal, a line per tenth elsewhere.
#pragma once

#include <cstdio>
#include <string>

#include "run/run_observer.h"

namespace muxbench {

class Progress final : public RunObserver {
 public:
  explicit Progress(bool quiet);
  ~Progress() override;

  void trial_begins(std::size_t done, std::size_t trials, Nanoseconds left,
                    const std::string& next) override;
  void repetition_ends(const RunRecord& record, unsigned done, unsigned repetitions) override;
  void remark(const std::string& sentence) override;  // above the bar

 private:
  void clear();

  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::size_t tenths_ = 0;
};

}  // namespace muxbench
