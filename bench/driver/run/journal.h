// The journal of a run: a file in its folder that has every finished step, so that a run that is
// killed can go on (docs/recovering-runs.md). One line of JSON each, written and synced at once; the
// first line is the plan. Who has it open holds a lock on it. It is removed when the report is complete.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "plan/trial_order.h"
#include "run/step.h"

namespace muxbench {

struct JournalContent {
  std::string working_folder;         // that relative paths of the command line begin at
  RunRecord record;                   // as planned, with nothing found
  std::vector<PlannedTrial> order;    // likewise
  std::map<std::size_t, Step> steps;  // by their place in the order
  std::map<std::size_t, std::set<std::size_t>> cuts;  // see note_cut()
  Nanoseconds used{};  // from the begin of the run to the end of its last step
};

class Journal {
 public:
  // Refuses a folder that has a journal.
  static Result<Journal> create(const std::string& folder, const RunRecord& record,
                                const std::vector<PlannedTrial>& order);
  // What an earlier process left. A last line that is not whole does not count. Refuses a folder
  // without a journal, or whose run goes on.
  static Result<Journal> reopen(const std::string& folder);

  const JournalContent& content() const noexcept { return content_; }  // when it was opened
  std::map<std::size_t, Step> take_steps() noexcept { return std::exchange(content_.steps, {}); }

  Result<> note(const Step& step);
  // The block that begins at this place was shortened to these experiments.
  Result<> note_cut(std::size_t place, const std::set<std::size_t>& experiments);
  void remove() const noexcept;

 private:
  Journal(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  Result<> lock() const;
  Result<> read();
  Result<> append(const Json& line);

  std::string path_;
  UniqueFd fd_;
  std::size_t end_ = 0;  // of the last whole line
  JournalContent content_;
};

// What a journal has, as the record of an interrupted run.
RunRecord recorded(const JournalContent& content);

// Nothing, or a sentence (exit status 2) that names a difference between what a journal's run was
// planned and measured on and what this one would be.
Result<> check_same(const JournalContent& content, const RunRecord& record,
                    const std::vector<PlannedTrial>& order);

}  // namespace muxbench
