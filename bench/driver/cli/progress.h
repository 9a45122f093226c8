// How far the run is. On a terminal a line with what is being measured and the time left, and above it,
// once a round is over, the leading models, both redrawn in place; elsewhere a line for each tenth.
#pragma once

#include <string>
#include <vector>

#include "run/run_observer.h"

namespace muxbench {

class Progress final : public RunObserver {
 public:
  explicit Progress(bool quiet);
  ~Progress() override;

  void trial_begins(std::size_t done, std::size_t trials, Nanoseconds left,
                    const std::string& next) override;
  void repetition_ends(const RunRecord& record, unsigned done, unsigned repetitions) override;
  void remark(const std::string& sentence) override;  // above the rest, and it stays

 private:
  void clear();
  void draw();

  bool quiet_;
  bool terminal_;
  std::vector<std::string> leaders_;
  std::string line_;
  std::size_t rows_ = 0;  // that are drawn now
  std::size_t tenths_ = 0;
};

// As much of a text as has room in so many columns.
std::string cut_to_columns(const std::string& text, std::size_t columns);

}  // namespace muxbench
