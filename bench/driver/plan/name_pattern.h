// Names chosen by patterns, as --models and --experiments take them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muxbench {

// The places of the names that match "a,epoll_*" (fnmatch(3) globs), in the order of `names`. A
// part that matches nothing is an error that names the close ones; `kind` is "model" or such.
Result<std::vector<std::size_t>> select_names(const std::vector<std::string>& names,
                                              const std::string& patterns, std::string_view kind);
bool matches_any(const std::string& name, const std::string& patterns);

}  // namespace muxbench
