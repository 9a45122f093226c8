#include "run/scratch_folder.h"

#include <filesystem>

#include "base/directory.h"
#include "system/abandoned.h"

namespace muxbench {
namespace {

void remove_folder(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

Result<ScratchFolder> ScratchFolder::make() {
  const std::string parent = temporary_folder();
  for (const Abandoned& folder : abandoned_in(parent)) remove_folder(folder.path);
  std::string path = fmt::format("{}/{}XXXXXX", parent, own_prefix());
  if (::mkdtemp(path.data()) == nullptr) {
    return make_error("cannot make a folder in {}: {}; name another one in TMPDIR", parent,
                      describe(last_errno()));
  }
  return ScratchFolder(path, mark_as_owned(path));
}

ScratchFolder::~ScratchFolder() {
  if (lock_) remove_folder(path_);
}

}  // namespace muxbench
