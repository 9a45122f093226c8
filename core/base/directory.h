// Looking at the file system without std::filesystem's exceptions: directories vanish while they are
// read, as those of /proc do, and some may not be looked into.
#pragma once

#include <string>
#include <vector>

namespace muxbench {

bool exists(const std::string& path);
// Sorted; without those that could not be read any more.
std::vector<std::string> names_in(const std::string& directory);
std::string temporary_folder();  // TMPDIR, or /tmp
// The file that execvp(3) would execute for this name: itself if it has a slash, else the first in
// PATH; empty if there is none.
std::string find_program(const std::string& name);

}  // namespace muxbench
