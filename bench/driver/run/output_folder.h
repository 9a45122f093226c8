// Where a result goes: a folder that exists and is writable before the first trial, in which no
// earlier result is overwritten, and into which files appear whole or not at all.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace muxbench {

class OutputFolder {
 public:
  // `asked` is --out; without it `results_dir`/<UTC time>-<host>, numbered if that is taken. None of
  // these files may be there.
  static Result<OutputFolder> prepare(const std::optional<std::string>& asked,
                                      const std::string& results_dir,
                                      const std::vector<std::string>& files,
                                      std::chrono::system_clock::time_point now);
  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  ~OutputFolder();  // removes the folder again if it was made for nothing

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Temporary file, fsync(2), rename(2).
  Result<> write(const std::string& name, const std::string& text) const;

 private:
  OutputFolder(std::string path, bool made) : path_(std::move(path)), made_(made) {}
  std::string path_;
  bool made_ = false;
};

// A folder in TMPDIR (or /tmp) for sockets (whose paths must be short) and files to serve; removed at the end.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::string& path() const noexcept { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace muxbench
