#include "base/file.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace muxbench {

Result<std::string> read_file(const std::string& path) {
  std::ostringstream text;
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  const bool readable = file && !std::filesystem::is_directory(path, error);  // which opens, too
  if (readable) text << file.rdbuf();
  if (!readable || file.bad()) {
    return usage_error("cannot read {}; check that it is a file that you may read", path);
  }
  return std::move(text).str();
}

}  // namespace muxbench
