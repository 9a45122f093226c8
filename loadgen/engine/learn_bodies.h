// The bodies that an HTTP run compares with, learnt from the server before the load starts.
#pragma once

#include "client/errors.h"
#include "client/http_site.h"
#include "options/options.h"

namespace muxbench::loadgen {

// So many bytes of bodies are learnt from a server, of all paths together.
inline constexpr std::uint64_t kMostLearnt = 256 * 1024 * 1024;

// The bodies are what the server answers now, one request per path, each on a connection of its own
// and within the timeouts of the load. False when one of them fails, and `errors` says why; or when
// the process is interrupted.
bool learn_bodies(HttpSite& site, const Options& options, ErrorLog& errors);

}  // namespace muxbench::loadgen
