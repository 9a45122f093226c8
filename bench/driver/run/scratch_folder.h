// A folder for sockets (whose paths must be short) and files to serve.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

// In TMPDIR (or /tmp); removed at the end. Those of drivers that were killed are removed by the next.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept = default;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::string& path() const noexcept { return path_; }

 private:
  ScratchFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  UniqueFd lock_;  // on the folder itself, held while its owner lives; none if moved from
};

}  // namespace muxbench
