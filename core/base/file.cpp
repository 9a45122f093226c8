#include "base/file.h"

#include <fmt/format.h>

#include <cstdint>
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

Result<std::string> content_hash(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return content.error();
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : *content) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace muxbench
