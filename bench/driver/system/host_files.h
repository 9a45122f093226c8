// Reading the small text files of /proc and /sys.
#pragma once

#include <filesystem>
#include <string>

namespace muxbench {

// The first line; empty where there is no such file.
std::string first_line(const std::filesystem::path& file);
// Of the first line "KEY<spaces>: VALUE"; empty where there is none.
std::string field_of(const std::filesystem::path& file, const std::string& key);

}  // namespace muxbench
