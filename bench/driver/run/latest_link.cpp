#include "run/latest_link.h"

#include <filesystem>

namespace muxbench {

namespace fs = std::filesystem;

Result<> point_latest_at(const std::string& folder, const std::string& results_dir) {
  std::error_code error;
  const fs::path results = fs::canonical(results_dir, error);
  if (error) return {};
  const fs::path target = fs::canonical(folder, error).lexically_relative(results);
  // A link of its own that then takes the old one's place: latest is there at any time.
  const fs::path link = results / "latest";
  const fs::path next = results / ".latest.part";
  fs::remove(next, error);
  fs::create_directory_symlink(target, next, error);
  if (!error) fs::rename(next, link, error);
  if (!error) return {};
  return make_error("cannot point {} to {}: {}; name another folder with --results-dir",
                    link.string(), folder, error.message());
}

}  // namespace muxbench
