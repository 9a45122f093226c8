// One run at a time on a machine: two would measure each other.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace muxbench {

// Held while it lives, and by no child.
class MachineLock {
 public:
  // Refuses while another run is going on, unless `shared`; a shared one keeps later runs away that
  // are not. Without a file to lock nothing is held.
  static Result<MachineLock> take(bool shared);

 private:
  explicit MachineLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace muxbench
