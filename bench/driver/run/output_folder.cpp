#include "run/output_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/directory.h"
#include "base/format.h"
#include "base/unique_fd.h"
#include "system/host.h"

namespace muxbench {
namespace {

namespace fs = std::filesystem;

std::string default_folder(const std::string& results_dir,
                           std::chrono::system_clock::time_point now) {
  std::string stamp = rfc3339(now);  // without colons: the name is typed in shells
  std::erase(stamp, ':');
  std::erase(stamp, '-');
  const std::string base = fmt::format("{}/{}-{}", results_dir, stamp, host_name());
  std::string folder = base;
  for (int number = 2; exists(folder); ++number) folder = fmt::format("{}-{}", base, number);
  return folder;
}

Result<> write_whole(const std::string& path, const std::string& text) {
  // A link in its place would lead out of the folder.
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  std::string_view left = text;
  while (fd && !left.empty()) {
    const ssize_t written = ::write(fd.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fd && left.empty() && ::fsync(fd.get()) == 0) return {};
  return make_error("cannot write {}: {}", path, describe(last_errno()));
}

}  // namespace

Result<OutputFolder> OutputFolder::prepare(const std::optional<std::string>& asked,
                                           const std::string& results_dir,
                                           const std::vector<std::string>& files,
                                           std::chrono::system_clock::time_point now) {
  const std::string path = asked ? *asked : default_folder(results_dir, now);
  std::error_code error;
  for (const std::string& name : files) {
    if (!exists(path + "/" + name)) continue;
    return usage_error(
        "{}/{} is there already and is not overwritten; give another folder with "
        "--out, or move it away",
        path, name);
  }
  const bool made = fs::create_directories(path, error);
  if (error) {
    return make_error("cannot make the folder {}: {}; name a writable one with --out", path,
                      error.message());
  }
  OutputFolder folder(path, made);
  const std::string probe = folder.file(".writable");
  if (const auto written = write_whole(probe, ""); !written) {
    return make_error("{}; name a writable folder with --out", written.error().message);
  }
  ::unlink(probe.c_str());
  return folder;
}

Result<OutputFolder> OutputFolder::make_in(const std::string& parent) {
  std::string path = parent + "/muxbench-report-XXXXXX";
  if (::mkdtemp(path.data()) != nullptr) return OutputFolder(path, true);
  return make_error("cannot make a folder in {}: {}", parent, describe(last_errno()));
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), made_(std::exchange(other.made_, false)) {}

OutputFolder::~OutputFolder() {
  if (made_) ::rmdir(path_.c_str());  // fails, as it should, when something was written
}

Result<> OutputFolder::write(const std::string& name, const std::string& text) const {
  const std::string temporary = file("." + name + ".part");
  ::unlink(temporary.c_str());  // of a run that was killed, or a link
  if (auto written = write_whole(temporary, text); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), file(name).c_str()) != 0) {
    return make_error("cannot write {}: {}", file(name), describe(last_errno()));
  }
  const UniqueFd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ::fsync(folder.get());
  return {};
}

}  // namespace muxbench
