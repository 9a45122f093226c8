// A file that a result is written to, or standard output: opened before the run, so that an hour's
// measurement is not lost to a mistyped folder, and emptied only when there is something to write.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench::loadgen {

inline constexpr std::string_view kStandardOutput = "-";

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

}  // namespace muxbench::loadgen
