// The files under one folder, as the HTTP protocol's Site: opened beneath the root and nowhere
// else, mapped, and kept for the next request.
//
// The program never reads a mapping: its address goes to send(2) as it is. That matters when a file
// shrinks while it is sent. A load beyond the new end would raise SIGBUS here; the kernel's copy
// fails with EFAULT instead, and the model closes that one connection. (What lies between the new
// end and the end of its page is sent as zeros.)
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "protocol/site.h"

namespace muxbench {

// All threads of a server share one. A child after fork(2) inherits a copy with all its mappings;
// fork while no other thread is inside, as for any mutex.
class DocumentRoot final : public Site {
 public:
  struct Limits {
    std::size_t most_documents = 1024;  // each holds a mapping; vm.max_map_count is about 65,000
    Nanoseconds trusted_for = std::chrono::seconds(1);  // then a file is looked at again
  };

  // Needs openat2(2), Linux 5.6. Opened by root and served by another user it may lie in folders that
  // only root can enter.
  static Result<std::unique_ptr<DocumentRoot>> open(const std::string& folder);
  static Result<std::unique_ptr<DocumentRoot>> open(const std::string& folder, Limits limits);

  // Regular files only; a directory stands for the index.html in it, and is forbidden without one.
  // Symbolic links are followed as long as they stay beneath the root. Opens nothing while the
  // path's document is fresh.
  LookupResult find(std::string_view path) noexcept override;
  // Is the folder readable for this user?
  Result<> check() const;
  std::string_view date() noexcept override;

  int descriptor() const noexcept { return root_.get(); }
  std::size_t cached() const;

 private:
  // Tells whether a path still means the same content.
  struct Version {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified_ns;
    std::int64_t changed_ns;  // catches a rewrite that set the modification time back
    bool operator==(const Version&) const = default;
  };
  struct Entry {
    DocumentRef document;
    Version version{};
    std::atomic<std::int64_t> checked_ns{0};
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;  // so that looking up a string_view makes no string
  };

  DocumentRoot(std::string folder, UniqueFd root, Limits limits)
      : folder_(std::move(folder)), root_(std::move(root)), limits_(limits) {}

  LookupResult refresh(std::string_view path, std::int64_t now_ns, DocumentRef known,
                       const Version& version);
  Lookup open_file(std::string& path, UniqueFd& file, struct stat& status) const;
  void keep(std::string_view path, std::int64_t now_ns, const DocumentRef& document,
            const Version& version);

  std::string folder_;
  UniqueFd root_;
  Limits limits_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
};

}  // namespace muxbench
