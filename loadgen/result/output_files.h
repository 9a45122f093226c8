// Where the result of a program goes: --json, --hgrm, --csv, standard output, and its exit status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "result/run_result.h"

namespace muxbench::loadgen {

// A file that a result is written to, or standard output: opened before the run, so that an hour's
// measurement is not lost to a mistyped folder, and emptied only when there is something to write.
class OutputFile {
 public:
  OutputFile() = default;  // none: writing to it does nothing

  // `option` is the one that named it, for the error's sentence. An empty name is no file, and
  // "-" is standard output.
  static Result<OutputFile> open(const std::string& name, std::string_view option);
  Result<> write(std::string_view text) const;
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

 private:
  std::string name_;
  UniqueFd fd_;
  bool may_be_emptied_ = false;
};

class OutputFiles {
 public:
  // Before the run.
  static Result<OutputFiles> open(const Options& options);
  // Writes all that was asked for but the summary, and returns the exit status.
  int write_all(const Options& options, const std::vector<Step>& steps,
                std::string_view program) const;

 private:
  Result<> write(const std::vector<Step>& steps) const;

  OutputFile json_, hgrm_, csv_;
};

}  // namespace muxbench::loadgen
