// Runs a fuzz target over files: those that the command line names, and those in folders that it
// names. The last name printed is of the file that failed. Options of libFuzzer are left out.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "input.h"

namespace {

std::vector<std::filesystem::path> files_at(const std::filesystem::path& place) {
  if (!std::filesystem::is_directory(place)) return {place};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(place)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool replay(const std::filesystem::path& path) {
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    std::fprintf(stderr, "replay: cannot read %s; check its name and its permissions\n",
                 path.c_str());
    return false;
  }
  // An array of exactly this size, so that a sanitizer sees every byte read beyond it.
  const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string place = argv[i];
    if (place.starts_with('-')) continue;
    for (const auto& file : files_at(place)) {
      if (!replay(file)) return 1;
      ++replayed;
    }
  }
  if (replayed == 0)
    std::fprintf(stderr, "replay: no files; name some, or a folder that has some\n");
  return replayed == 0 ? 1 : 0;
}
