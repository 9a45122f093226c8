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
  // A new one, with a name of its own.
  static Result<OutputFolder> make_in(const std::string& parent);
  static OutputFolder existing(const std::string& path) { return {path, false}; }
  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  ~OutputFolder();  // removes the folder again if it was made for nothing

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Temporary file, fsync(2), rename(2), fsync(2) of the folder.
  Result<> write(const std::string& name, const std::string& text) const;

 private:
  OutputFolder(std::string path, bool made) : path_(std::move(path)), made_(made) {}
  std::string path_;
  bool made_ = false;
};

}  // namespace muxbench
