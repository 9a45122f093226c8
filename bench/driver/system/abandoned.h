// Folders that a driver makes for its time (scratch folders, cgroups), and how the next driver knows
// those of one that was killed: the name has its process number, and the folder is locked while it lives.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace muxbench {

std::string own_prefix();  // "muxbench-1234-": what their names begin with

// Locks a folder for as long as the descriptor is open. Not for children.
UniqueFd mark_as_owned(const std::string& folder);

struct Abandoned {
  std::string path;
  UniqueFd lock;  // no other run can remove it meanwhile
};

// Of this user, whose driver neither runs nor holds its lock.
std::vector<Abandoned> abandoned_in(const std::string& parent);

}  // namespace muxbench
