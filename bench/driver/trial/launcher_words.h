// The words of MPI launchers and of ssh, which are many, as one sentence.
#pragma once

#include <string>
#include <vector>

namespace muxbench {

// Why nothing was started, or what ended it: what ssh said, else a cause that is known with its remedy,
// else what was said about one of these hosts, else the beginning.
std::string gist_of(const std::string& errors, const std::vector<std::string>& hosts);

// Some launchers wait on for a host that their ssh could not log in to.
bool ssh_has_failed(const std::string& errors);

}  // namespace muxbench
