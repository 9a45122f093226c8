#include "result/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace muxbench::loadgen {

Result<OutputFile> OutputFile::open(const std::string& name, std::string_view option) {
  OutputFile file;
  if (name.empty()) return file;
  if (name == kStandardOutput) {
    file.name_ = "standard output";
    file.fd_ = UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (file.fd_) return file;
    return make_error("cannot write standard output: {}", describe(last_errno()));
  }
  file.name_ = name;
  file.may_be_emptied_ = true;
  file.fd_ = UniqueFd(::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (file.fd_) return file;
  return make_error("cannot write {}: {}; choose another file with {}", name,
                    describe(last_errno()), option);
}

Result<> OutputFile::write(std::string_view text) const {
  if (!fd_) return {};
  // A device or a pipe cannot be emptied, which does no harm.
  if (may_be_emptied_) [[maybe_unused]]
    const int ignored = ::ftruncate(fd_.get(), 0);
  while (!text.empty()) {
    const ssize_t written = ::write(fd_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return make_error("cannot write {}: {}; make room and run again", name_,
                        describe(last_errno()));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace muxbench::loadgen
